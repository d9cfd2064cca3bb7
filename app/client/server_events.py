"""Server-sent events as they come in blocks, and what those of `/buffers/events` tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .answers import BufferAnswer


@dataclass(frozen=True)
class ServerEvent:
    """One of them. `data`: the JSON that it bears."""

    name: str
    data: Any


class EventReader:
    """Reads events out of blocks of bytes.

    Lines end with a line feed alone: titles in the JSON may have what else counts as an end of one.
    """

    def __init__(self) -> None:
        self._begun = b""
        self._name = ""

    def read(self, block: bytes) -> Iterator[ServerEvent]:
        """The events that are whole by now."""
        *lines, self._begun = (self._begun + block).split(b"\n")
        for line in lines:
            field, _, value = line.rstrip(b"\r").decode(errors="replace").partition(":")
            if field == "event":
                self._name = value.strip()
            elif field == "data":
                yield ServerEvent(self._name, json.loads(value))


@dataclass(frozen=True)
class BuffersListed:
    """All buffers that there are for the caller: the first of each connection."""

    items: list[BufferAnswer]


@dataclass(frozen=True)
class BufferChanged:
    """A buffer as it is now."""

    buffer: BufferAnswer


@dataclass(frozen=True)
class BufferGone:
    """A buffer is not there any more, or not to be seen."""

    buffer_id: str


BufferUpdate = BuffersListed | BufferChanged | BufferGone


def buffer_update(event: ServerEvent) -> BufferUpdate | None:
    """What an event of `/buffers/events` tells; None of one that a later release has added."""
    match event.name:
        case "snapshot":
            return BuffersListed(event.data["items"])
        case "buffer":
            return BufferChanged(event.data)
        case "gone":
            return BufferGone(event.data["id"])
    return None
