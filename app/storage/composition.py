"""How a file is put together where it is kept: of a part of ours, and of ranges of files there.

The part is as large as the file, and has zeros where bytes of others belong. Which these are
stands in a list beside it. What publishes it is given the list, and never takes the part for whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from app.storage import clip_files
from app.storage.confined import PART_SUFFIX, member

_LIST = "ranges"
_READ_BYTES = 2**20


class CopySource(NamedTuple):
    """A file of which ranges are copied: its storage path, and the tag that it had."""

    storage_path: str
    tag: str


class CopiedRange(NamedTuple):
    """Bytes [`start`, `end`) of a file, which are those of another one from `offset` on.

    `source`: which one, counted from 0.
    """

    start: int
    end: int
    offset: int
    source: int = 0

    def within(self, start: int, end: int) -> CopiedRange:
        """The part of it that is bytes [`start`, `end`) of the file."""
        return CopiedRange(start, end, self.offset + start - self.start, self.source)


class FilePiece(NamedTuple):
    """Bytes [`start`, `end`) of a file, sent or copied as one. `copied`: None if the part has
    them."""

    start: int
    end: int
    copied: CopiedRange | None


class LocalRange(NamedTuple):
    """Bytes [`start`, `end`) of a file, which this machine has at `path` from `offset` on."""

    start: int
    end: int
    path: str
    offset: int


@dataclass(frozen=True)
class Composition:
    """Which bytes of a file are copied from which sources. `pieces`: all of it, in order.

    `local`: where this machine has what is copied, for as long as it does; empty if it has not.
    `sha256`: of the file, 64 hex digits; None if that is not known.
    """

    sources: tuple[CopySource, ...]
    size_bytes: int
    pieces: tuple[FilePiece, ...]
    local: tuple[LocalRange, ...] = ()
    sha256: str | None = None

    @classmethod
    def of(
        cls, sources: Sequence[CopySource], size_bytes: int, pieces: Sequence[FilePiece]
    ) -> Composition:
        """One with those of these sources alone that a piece is copied from."""
        named = sorted({each.copied.source for each in pieces if each.copied is not None})
        numbers = {source: number for number, source in enumerate(named)}
        told = tuple(
            each
            if each.copied is None
            else each._replace(copied=each.copied._replace(source=numbers[each.copied.source]))
            for each in pieces
        )
        return cls(tuple(sources[each] for each in named), size_bytes, told)

    @property
    def copied(self) -> list[CopiedRange]:
        """What is copied, in order; what lies together in both files is one."""
        return joined(each.copied for each in self.pieces if each.copied is not None)

    def sent(self) -> Iterator[tuple[int, int]]:
        """The bytes [start, end) that the part has to have."""
        start = 0
        for each in self.copied:
            if start < each.start:
                yield start, each.start
            start = each.end
        if start < self.size_bytes:
            yield start, self.size_bytes


def joined(ranges: Iterable[CopiedRange]) -> list[CopiedRange]:
    """Ranges in order, of which those are one that lie together in both files."""
    found: list[CopiedRange] = []
    for each in ranges:
        last = found[-1] if found else None
        adjoins = last is not None and last.end == each.start
        if last is not None and adjoins and last.within(each.start, each.end) == each:
            found[-1] = last._replace(end=each.end)
        else:
            found.append(each)
    return found


def equal_pieces(
    ranges: Iterable[CopiedRange], size_bytes: int, piece_bytes: int
) -> tuple[FilePiece, ...]:
    """The pieces of a file, all of one size but the last: copied where they are within a range."""
    whole: dict[int, CopiedRange] = {}
    for each in ranges:
        for start in range(-(-each.start // piece_bytes) * piece_bytes, each.end, piece_bytes):
            end = min(start + piece_bytes, size_bytes)
            if end <= each.end:
                whole[start] = each.within(start, end)
    return tuple(
        FilePiece(start, min(start + piece_bytes, size_bytes), whole.get(start))
        for start in range(0, size_bytes, piece_bytes)
    )


def large_pieces(
    ranges: Iterable[CopiedRange], size_bytes: int, least_bytes: int
) -> tuple[FilePiece, ...]:
    """The pieces of a file: of what is in `ranges`, which are in order, as much as can be copied.

    None but the last one has less than `least_bytes`. Those that are sent have less than twice
    as many.
    """
    pieces: list[FilePiece] = []
    position = 0
    for each in ranges:
        start = each.start if each.start == position else max(each.start, position + least_bytes)
        if each.end - start < (1 if each.end == size_bytes else least_bytes):
            continue
        pieces += _sent(position, start, least_bytes)
        pieces.append(FilePiece(start, each.end, each.within(start, each.end)))
        position = each.end
    return (*pieces, *_sent(position, size_bytes, least_bytes))


def _sent(start: int, end: int, least_bytes: int) -> Iterator[FilePiece]:
    """Bytes [start, end), in pieces."""
    while start < end:
        until = start + least_bytes if end - start >= 2 * least_bytes else end
        yield FilePiece(start, until, None)
        start = until


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
    """Writes the list of a part, durably, or another one in its place: its path.

    Raises StorageFull.
    """
    listing = list_of(part)
    new = clip_files.beside(part, f"{_LIST}-new")
    with clip_files.disk_errors():
        new.write_text(json.dumps(asdict(composition)))
        clip_files.sync(new)
        new.replace(listing)
    return listing


def read(listing: Path) -> Composition:
    """What a list says. Raises FileNotFoundError."""
    found = json.loads(listing.read_text())
    return Composition(
        tuple(CopySource(*each) for each in found["sources"]),
        found["size_bytes"],
        tuple(_piece(*each) for each in found["pieces"]),
        tuple(LocalRange(*each) for each in found["local"]),
        found["sha256"],
    )


def _piece(start: int, end: int, copied: Sequence[Any] | None) -> FilePiece:
    return FilePiece(start, end, None if copied is None else CopiedRange(*copied))


def is_lacking(path: Path) -> bool:
    """Whether it is the list of a part that lacks what this machine has elsewhere. Blocks."""
    try:
        return is_list(path) and bool(read(path).local)
    except FileNotFoundError:
        return False


def make_whole(listing: Path) -> None:
    """Gives the part of a list what this machine has of the rest, durably: nothing is copied then.

    Blocks. Does nothing to another file, or where that is elsewhere alone. Raises FileNotFoundError
    if it is gone or altered, StorageFull.
    """
    if not is_list(listing) or not (asked := read(listing)).local:
        return
    part = part_of(listing)
    with clip_files.disk_errors(), part.open("r+b") as file:
        for each in asked.local:
            _copy(each, lambda block, at: os.pwrite(file.fileno(), block, at))
    clip_files.sync(part)
    if clip_files.sha256(part) != asked.sha256:
        raise FileNotFoundError(f"what {part.name} is made of was altered since")
    whole = tuple(_sent(0, asked.size_bytes, asked.size_bytes))
    write(replace(asked, sources=(), pieces=whole, local=()), part)


def _copy(each: LocalRange, put: Callable[[bytes, int], object]) -> None:
    with Path(each.path).open("rb") as source:
        position, left = each.offset, each.end - each.start
        while left:
            block = os.pread(source.fileno(), min(_READ_BYTES, left), position)
            if not block:
                raise FileNotFoundError(f"{each.path} ends before its list says")
            put(block, each.end - left)
            position += len(block)
            left -= len(block)
