"""How a file is put together where it is kept: of a part of ours, and of ranges of another file.

The part is as large as the file, and has zeros where bytes of the other one belong. Which these are
stands in a list beside it. What publishes it is given the list, and never takes the part for whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from app.storage import clip_files
from app.storage.confined import PART_SUFFIX, member

_LIST = "ranges"


class CopiedRange(NamedTuple):
    """Bytes [`start`, `end`) of a file, which are those of another one from `offset` on."""

    start: int
    end: int
    offset: int


class FilePiece(NamedTuple):
    """Bytes [`start`, `end`) of a file, sent as one. `offset`: where the other one has them, or
    None if the part has."""

    start: int
    end: int
    offset: int | None


@dataclass(frozen=True)
class Composition:
    """Which bytes of a file are those of `source`, a storage path, when that had `tag`.

    `ranges` are in order, and made of whole pieces. `piece_bytes`: of each piece but the last.
    """

    source: str
    tag: str
    size_bytes: int
    piece_bytes: int
    ranges: tuple[CopiedRange, ...]

    def pieces(self) -> Iterator[FilePiece]:
        """The whole file, one behind the other."""
        copied = {
            start: one.offset + start - one.start
            for one in self.ranges
            for start in range(one.start, one.end, self.piece_bytes)
        }
        for start in range(0, self.size_bytes, self.piece_bytes):
            end = min(start + self.piece_bytes, self.size_bytes)
            yield FilePiece(start, end, copied.get(start))

    def sent(self) -> Iterator[tuple[int, int]]:
        """The bytes [start, end) that the part has to have."""
        start = 0
        for each in self.ranges:
            if start < each.start:
                yield start, each.start
            start = each.end
        if start < self.size_bytes:
            yield start, self.size_bytes


def whole_pieces(
    ranges: Iterable[CopiedRange], size_bytes: int, piece_bytes: int
) -> tuple[CopiedRange, ...]:
    """What of some ranges of a file is whole pieces of it."""
    found = []
    for start, end, offset in ranges:
        first = -(-start // piece_bytes) * piece_bytes
        last = end if end == size_bytes else end // piece_bytes * piece_bytes
        if first < last:
            found.append(CopiedRange(first, last, offset + first - start))
    return tuple(found)


def list_of(part: Path) -> Path:
    """Where the list of a part is."""
    return clip_files.beside(part, _LIST)


def is_list(path: Path) -> bool:
    """Whether it is the list of a part, and no part."""
    return path.name.endswith(f".{_LIST}{PART_SUFFIX}")


def listed_bytes(path: Path) -> int | None:
    """How large the file is that a list at `path` is of; None if there is none."""
    try:
        return read(path).size_bytes if is_list(path) else None
    except FileNotFoundError:
        return None


def part_of(listing: Path) -> Path:
    """The part that a list is of."""
    name = listing.name.removesuffix(f".{_LIST}{PART_SUFFIX}")
    return member(listing.parent, f"{name}{PART_SUFFIX}")


def discard(part: Path) -> None:
    """Removes a part that nobody is to publish, and its list."""
    for path in (list_of(part), part):
        path.unlink(missing_ok=True)


def write(composition: Composition, part: Path) -> Path:
    """Writes the list of a part, durably: its path. Raises StorageFull."""
    listing = list_of(part)
    with clip_files.disk_errors():
        listing.write_text(json.dumps(asdict(composition)))
    clip_files.sync(listing)
    return listing


def read(listing: Path) -> Composition:
    """What a list says. Raises FileNotFoundError."""
    found = json.loads(listing.read_text())
    return Composition(**{**found, "ranges": tuple(CopiedRange(*one) for one in found["ranges"])})
