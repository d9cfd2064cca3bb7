"""Writes movies of a clip that is in a bucket: of what the bucket copies by itself nothing comes.

The part has the header, and what is not copied. Of all else it has the two key frames that its
verification decodes.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.captures import part_file
from app.captures.part_file import LocalWriter, PartWriter
from app.clips.clip_source import ClipSource
from app.media import movie_bytes
from app.media.movie import Movie
from app.models import FileRow
from app.storage import clip_files, composition
from app.storage.clip_store import ClipStore
from app.storage.composition import CopiedRange
from app.work import threads

_Span = tuple[int, int]


class FarWriter:
    """A PartWriter of what an excerpt of a clip, with a storage path, is planned into.

    Its methods raise what those of the other one do; EOFError if the clip is gone, StoreAway.
    """

    def __init__(self, clips: ClipStore, source: ClipSource, storage_path: str) -> None:
        self._clips = clips
        self._source = source
        self._storage_path = storage_path

    async def input(self, planned: Movie, path: Path, on_progress: Callable[[float], None]) -> None:
        await self._fetch(planned, [(0, planned.size_bytes)])
        await part_file.write(planned, path, on_progress)

    async def part(
        self, planned: Movie, part: Path, on_progress: Callable[[float], None]
    ) -> Path | None:
        ranges = [
            CopiedRange(one.movie_offset, one.movie_offset + one.length, one.offset)
            for one in planned.extents
            if one.path == str(self._source.path)
        ]
        composed = self._clips.composed(
            self._storage_path, self._source.tag, ranges, planned.size_bytes
        )
        if composed is None:
            await self.input(planned, part, on_progress)
            return None
        spans = [*composed.sent(), *planned.key_frames]
        await self._fetch(planned, spans)
        stop = threading.Event()
        await threads.to_its_end(None, lambda: _write(planned, spans, part, stop), hurry=stop.set)
        return await asyncio.to_thread(composition.write, composed, part)

    async def _fetch(self, planned: Movie, spans: Iterable[_Span]) -> None:
        with clip_files.disk_errors():
            await self._source.fetch(self._of_source(planned, spans))

    def _of_source(self, planned: Movie, spans: Iterable[_Span]) -> Iterator[_Span]:
        """Where the clip has the bytes of these spans of a movie."""
        for start, end in spans:
            for one in planned.extents_of(start, end):
                if one.path == str(self._source.path):
                    yield one.offset, one.offset + one.length


def of(clips: ClipStore, source: ClipSource, file: FileRow) -> PartWriter:
    """What writes movies of the file of a row."""
    return LocalWriter() if source.is_whole else FarWriter(clips, source, file["storage_path"])


def _write(planned: Movie, spans: Iterable[_Span], part: Path, stop: threading.Event) -> None:
    """Writes these spans of a movie into its part, which is as large as all of it."""
    with clip_files.disk_errors(), part.open("xb") as file:
        file.truncate(planned.size_bytes)
        for start, end in spans:
            position = start
            for block in movie_bytes.read(planned, start, end):
                if stop.is_set():
                    return
                os.pwrite(file.fileno(), block, position)
                position += len(block)
