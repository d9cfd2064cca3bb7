"""ISO base media file format boxes: written from their parts, found in bytes.

Sizes, kinds and fields are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

UINT32_MAX = 0xFFFFFFFF


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of four-character `kind` around `parts`."""
    size = 8 + sum(map(len, parts))
    if size > UINT32_MAX:
        raise ValueError(f"a {kind.decode()} box of {size} bytes does not fit a 32-bit size")
    return b"".join((struct.pack(">I4s", size, kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that begins with a version and 24 bits of flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def media_data_head(payload_bytes: int) -> bytes:
    """The head of an mdat box, with a 64-bit size where 32 bits don't hold it."""
    if payload_bytes + 8 <= UINT32_MAX:
        return struct.pack(">I4s", payload_bytes + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", payload_bytes + 16)


@dataclass(frozen=True, slots=True)
class Box:
    """A box in bytes: its payload is `data[start:end]`."""

    kind: bytes
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes that follow each other in `data[start:end]`. ValueError where one overruns it."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise ValueError(f"{end - start} bytes at {start} are too few for a box")
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and end - start >= 16:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        if size < head or start + size > end:
            raise ValueError(f"box {kind!r} at {start} claims {size} bytes of {end - start}")
        yield Box(kind, start + head, start + size)
        start += size


def find(data: bytes, *path: bytes) -> list[Box]:
    """All boxes at `path`, such as `find(data, b"moov", b"trak")`."""
    level = [Box(b"", 0, len(data))]
    for kind in path:
        level = [
            inner
            for outer in level
            for inner in boxes(data, outer.start, outer.end)
            if inner.kind == kind
        ]
    return level
