"""A planned movie written into a part file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.captures.verification import Expected
from app.clips.clip_report import ClipContents
from app.media import movie_bytes
from app.media.movie import Movie
from app.storage import clip_files
from app.viewing.fragment_sources import SegmentChanged
from app.work import threads


@dataclass(frozen=True)
class WrittenPart:
    """What was written into a part file, and what it must hold.

    `listing`: of a part that is put together where clips are kept, which bytes are copied there.
    """

    contents: ClipContents
    expected: Expected
    listing: Path | None = None

    @classmethod
    def of(cls, planned: Movie, listing: Path | None = None) -> WrittenPart:
        """A planned movie's."""
        return cls(ClipContents.of(planned), Expected.of(planned), listing)


class PartWriter(Protocol):
    """What writes the movies that a clip is planned into. Raises SegmentChanged, StorageFull.

    `on_progress` is told the share that is written, by any thread.
    """

    async def input(self, planned: Movie, path: Path, on_progress: Callable[[float], None]) -> None:
        """Writes a movie that a program reads on this machine."""

    async def part(
        self, planned: Movie, part: Path, on_progress: Callable[[float], None]
    ) -> Path | None:
        """Writes the part: its list, if something is copied into it where clips are kept."""


class LocalWriter:
    """A PartWriter of what is all on this machine."""

    async def input(self, planned: Movie, path: Path, on_progress: Callable[[float], None]) -> None:
        await write(planned, path, on_progress)

    async def part(self, planned: Movie, part: Path, on_progress: Callable[[float], None]) -> None:
        await write(planned, part, on_progress)


async def write(planned: Movie, part: Path, on_progress: Callable[[float], None]) -> None:
    """Writes the movie. Cancelled, it ends when its thread has, within a block's time.

    `on_progress` is told the share that is written, by the thread. Raises SegmentChanged,
    StorageFull.
    """
    stop = threading.Event()

    def copy() -> None:
        with clip_files.disk_errors():
            movie_bytes.write(
                planned,
                str(part),
                on_progress=lambda done: on_progress(done / planned.size_bytes),
                should_stop=stop.is_set,
            )

    with changed_sources():
        await threads.to_its_end(None, copy, hurry=stop.set)


@contextmanager
def changed_sources() -> Iterator[None]:
    """Turns what says that a fragment is not what was indexed into SegmentChanged."""
    try:
        yield
    except movie_bytes.SourceChanged as error:
        raise SegmentChanged(
            f"{Path(error.path).name} is gone from the disk, or was altered since it came"
        ) from error
