"""Where each sample's bytes lie: in the files they come from, and in the movie's payload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.media.runs import Source
from app.media.selection import Part


@dataclass(frozen=True, slots=True)
class Extent:
    """Consecutive bytes of the movie: `data`, or `length` bytes of `path` from `offset`.

    `movie_offset` counts from the movie's first byte.
    """

    movie_offset: int
    length: int
    path: str | None
    offset: int
    data: bytes

    def cut(self, start: int, end: int) -> Extent:
        """The part of it that lies in the movie's bytes [start, end)."""
        skipped = max(0, start - self.movie_offset)
        length = min(end, self.movie_offset + self.length) - self.movie_offset - skipped
        return Extent(
            self.movie_offset + skipped,
            length,
            self.path,
            self.offset + skipped,
            self.data[skipped : skipped + length],
        )


@dataclass(slots=True)
class Chunks:
    """A track's chunks (consecutive samples of one track) in the order of the payload."""

    counts: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    sizes: list[NDArray[np.integer]] = field(default_factory=list)

    def add(self, offset: int, sizes: NDArray[np.integer]) -> None:
        if len(sizes):
            self.counts.append(len(sizes))
            self.offsets.append(offset)
            self.sizes.append(sizes)

    @property
    def samples(self) -> int:
        return sum(self.counts)


@dataclass(slots=True)
class Layout:
    """The payload as it grows: extents count from its first byte, adjacent ones are one."""

    silent_frame: bytes
    size_bytes: int = 0
    silence_frames: int = 0
    video: Chunks = field(default_factory=Chunks)
    audio: Chunks = field(default_factory=Chunks)
    keys: list[NDArray[np.bool_]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    extents: list[Extent] = field(default_factory=list)

    def add_silence(self, frames: int) -> None:
        if frames == 0:
            return
        size = len(self.silent_frame)
        self.audio.add(self.size_bytes, np.full(frames, size, np.uint16))
        self._add(None, 0, size * frames, self.silent_frame * frames)
        self.silence_frames += frames

    def add_part(self, part: Part) -> None:
        table = part.source.samples
        self.add_silence(part.silence)
        self.sources.append(part.source)
        self.keys.append(table.keys[part.video_from : part.video_to])
        sound_offset = part.source.payload_offset + table.video_bytes
        self._add_samples(
            part.source.path,
            part.source.payload_offset,
            table.sizes,
            part.video_from,
            part.video_to,
            self.video,
        )
        self._add_samples(
            part.source.path,
            sound_offset,
            table.audio_sizes,
            part.audio_from,
            part.audio_to,
            self.audio,
        )

    def key_frames(self) -> list[tuple[int, int]]:
        """The payload's bytes [start, end) of the first and of the last key frame."""
        numbers = np.flatnonzero(np.concatenate(self.keys))
        return [self._picture(int(number)) for number in numbers[[0, -1]]] if len(numbers) else []

    def _picture(self, number: int) -> tuple[int, int]:
        for offset, sizes in zip(self.video.offsets, self.video.sizes, strict=True):
            if number < len(sizes):
                start = offset + int(sizes[:number].sum(dtype=np.int64))
                return start, start + int(sizes[number])
            number -= len(sizes)
        raise IndexError(number)

    def _add_samples(
        self,
        path: str,
        offset: int,
        sizes: NDArray[np.integer],
        first: int,
        last: int,
        chunks: Chunks,
    ) -> None:
        chosen = sizes[first:last]
        chunks.add(self.size_bytes, chosen)
        skipped = int(sizes[:first].sum(dtype=np.int64)) if first else 0
        self._add(path, offset + skipped, int(chosen.sum(dtype=np.int64)), b"")

    def _add(self, path: str | None, offset: int, length: int, data: bytes) -> None:
        if length == 0:
            return
        last = self.extents[-1] if self.extents else None
        if last and path and last.path == path and last.offset + last.length == offset:
            joined = Extent(last.movie_offset, last.length + length, path, last.offset, b"")
            self.extents[-1] = joined
        else:
            self.extents.append(Extent(self.size_bytes, length, path, offset, data))
        self.size_bytes += length


def behind(header: bytes, extents: Iterable[Extent]) -> list[Extent]:
    """The header as an extent, and `extents` moved behind it."""
    moved = [
        Extent(one.movie_offset + len(header), one.length, one.path, one.offset, one.data)
        for one in extents
    ]
    return [Extent(0, len(header), None, 0, header), *moved]


def within(extents: Sequence[Extent], start: int, end: int) -> Iterator[Extent]:
    """The parts of ordered, gapless `extents` that lie in bytes [start, end)."""
    offsets = np.fromiter((one.movie_offset for one in extents), np.int64, len(extents))
    first = max(0, int(np.searchsorted(offsets, start, "right")) - 1)
    for one in extents[first:]:
        if one.movie_offset >= end:
            return
        piece = one.cut(start, end)
        if piece.length > 0:
            yield piece
