"""LiveKit's lists, read as they come: of what somebody has much of, only what is used is kept.

LiveKit holds the names of tracks to nothing, and whoever may start an egress makes its info as long
as they like. So a list may have any length: what one entry holds beyond what is used costs the time
to read it, and hides no other one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TypeAlias

import aiohttp
from google.protobuf.message import DecodeError, Message
from livekit.protocol.egress import (
    EgressInfo,
    SegmentedFileOutput,
    SegmentsInfo,
    TrackCompositeEgressRequest,
)
from livekit.protocol.models import ParticipantInfo, TrackInfo

from app.recording import attributes

KEPT_BYTES = 32 * 2**20
"""Of one answer: 10,000 people have a third of it, as short as they mostly are."""
_ENTRY_BYTES = 64 * 2**10
"""Of one entry of a list; of messages that it has many of, the rest is left out."""
_SHORT_BYTES = 2048
"""A message that is no longer is kept as it is: most are, and to look into it would take longer."""
_FIELD_BYTES = 4096
"""Of one field: what is longer can't be held as an id either."""

KeptFields: TypeAlias = "Mapping[int, KeptFields | tuple[bytes, ...] | None]"
"""By number: the fields of a message that are kept.

A message has those of its own, what begins in one of some ways these; None for anything else.
"""
_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
"""By wire type."""
_MOST_VARINT_BYTES = 10
_ENTRIES = 1
"""The field in which each list has its entries, as it stands in front of each of them."""


class TooLong(aiohttp.ClientPayloadError):
    """An answer has more than is read of one."""


def _fields(of: type[Message], *names: str, **within: KeptFields | tuple[bytes, ...]) -> KeptFields:
    wanted = dict.fromkeys(names) | within
    return {of.DESCRIPTOR.fields_by_name[name].number: inner for name, inner in wanted.items()}


def _keyed(*keys: str) -> tuple[bytes, ...]:
    """How the entries of a map begin that have one of these keys."""
    return tuple(b"\x0a" + _varint(len(key)) + key.encode() for key in keys)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


PERSON = _fields(
    ParticipantInfo,
    *("sid", "identity", "kind", "joined_at", "joined_at_ms", "permission"),
    attributes=_keyed(*attributes.READ),
    tracks=_fields(TrackInfo, "sid", "source", "width", "height", "mime_type", "encryption"),
)
EGRESS = _fields(
    EgressInfo,
    *("egress_id", "room_id", "room_name", "status", "error", "error_code"),
    *("started_at", "updated_at", "ended_at"),
    track_composite=_fields(
        TrackCompositeEgressRequest,
        *("video_track_id", "audio_track_id"),
        segment_outputs=_fields(SegmentedFileOutput, "filename_prefix"),
    ),
    segment_results=_fields(SegmentsInfo, "started_at"),
)
"""Whoever reads more of a person or an egress adds it."""


class AnswerStream:
    """An answer's bytes, block by block. Raises DecodeError where they end within a message."""

    def __init__(self, blocks: AsyncIterator[bytes]) -> None:
        self._blocks = blocks
        self._block, self._next, self._before = b"", 0, 0

    @property
    def at(self) -> int:
        """How many bytes have been taken or left out."""
        return self._before + self._next

    async def goes_on(self) -> bool:
        """Whether there is another byte."""
        while self._next == len(self._block):
            if not await self._add():
                return False
        return True

    async def varint(self) -> int:
        """The number that is next."""
        value = 0
        for place in range(_MOST_VARINT_BYTES):
            while self._next == len(self._block):
                await self._need()
            byte = self._block[self._next]
            self._next += 1
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise DecodeError("a number has too many bytes")

    async def take(self, size: int) -> bytes:
        """So many bytes, which are few."""
        while (end := self._next + size) > len(self._block):
            await self._need()
        taken = self._block[self._next : end]
        self._next = end
        return taken

    async def leave_out(self, size: int) -> None:
        """Goes on behind so many bytes."""
        while size > (left := len(self._block) - self._next):
            size -= left
            self._next += left
            await self._need()
        self._next += size

    async def _need(self) -> None:
        if not await self._add():
            raise DecodeError("the answer ends within a message")

    async def _add(self) -> bool:
        """Adds the next block to what is left of this one; False if there is none."""
        more = await anext(self._blocks, None)
        if more is None:
            return False
        self._before += self._next
        self._block, self._next = self._block[self._next :] + more, 0
        return True


async def entries(stream: AnswerStream, fields: KeptFields) -> bytes:
    """What is kept of a list whose entries have these fields. Raises TooLong, DecodeError."""
    kept, listed = bytearray(), {_ENTRIES: fields}
    while await stream.goes_on():
        kept += await _field(stream, listed, _ENTRY_BYTES)
        if len(kept) > KEPT_BYTES:
            raise TooLong(f"{KEPT_BYTES} bytes are kept of an answer, and this one has more")
    return bytes(kept)


async def message(stream: AnswerStream, fields: KeptFields, end: int | None = None) -> bytes:
    """What is kept of a message that ends there, or with the answer. Raises DecodeError."""
    kept = bytearray()
    while await stream.goes_on() if end is None else stream.at < end:
        kept += await _field(stream, fields, _ENTRY_BYTES - len(kept))
    if end is not None and stream.at > end:
        raise DecodeError("a field is longer than its message")
    return bytes(kept)


async def _field(stream: AnswerStream, fields: KeptFields, most_bytes: int) -> bytes:
    """The next field, with its tag; nothing of one that is not kept.

    Nor of a message if there is no room for it: there are many such ones, and one of any other.
    """
    tag = await stream.varint()
    number, kind = tag >> 3, tag & 7
    inner = fields.get(number)
    if kind == _BYTES:
        size = await stream.varint()
        if isinstance(inner, Mapping):
            is_kept = most_bytes > 0
        else:
            is_kept = number in fields and size <= _FIELD_BYTES
        if not is_kept:
            await stream.leave_out(size)
            return b""
        if isinstance(inner, Mapping) and size > _SHORT_BYTES:
            kept = await message(stream, inner, stream.at + size)
        else:
            kept = await stream.take(size)
        if isinstance(inner, tuple) and not kept.startswith(inner):
            return b""
        return _varint(tag) + _varint(len(kept)) + kept
    if kind == _VARINT:
        kept = _varint(await stream.varint())
    elif kind in _FIXED_BYTES:
        kept = await stream.take(_FIXED_BYTES[kind])
    else:
        raise DecodeError(f"no field is of wire type {kind}")
    return _varint(tag) + kept if number in fields else b""
