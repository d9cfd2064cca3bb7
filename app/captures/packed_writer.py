"""Writes movies of fragments whose media is packed in the bucket of clips: none of it is sent.

The part has the header, and what is not copied. Of all else it has the two key frames that its
verification decodes. All of it is read here for its checksum, and the list of the part says where.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.buffer import packs, readable_packs
from app.buffer.paths import fragment_name
from app.buffer.session_folders import fragment_path
from app.captures import part_file
from app.captures.part_file import LocalWriter, PartWriter
from app.context import Context
from app.media import movie_bytes
from app.media.movie import Movie
from app.models import PackedFragment, PackRow, SessionRow
from app.storage import clip_files, composition
from app.storage.composition import Composition, CopiedRange, CopySource, LocalRange
from app.storage.confined import PathRefused, member_text
from app.work import threads

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore


@dataclass(frozen=True)
class _Packed:
    """In which pack a fragment's media is, counted from 0."""

    pack: int
    fragment: PackedFragment


class PackedWriter:
    """A PartWriter of fragments of which some are packed: `packed`, by the paths of their files, in
    `sources`."""

    def __init__(
        self, store: PackStore, sources: Sequence[CopySource], packed: Mapping[str, _Packed]
    ) -> None:
        self._store = store
        self._sources = sources
        self._packed = packed

    async def input(self, planned: Movie, path: Path, on_progress: Callable[[float], None]) -> None:
        await part_file.write(planned, path, on_progress)

    async def part(
        self, planned: Movie, part: Path, on_progress: Callable[[float], None]
    ) -> Path | None:
        ranges = composition.joined(self._ranges(planned))
        composed = self._store.composed(self._sources, ranges, planned.size_bytes)
        if composed is None:
            await self.input(planned, part, on_progress)
            return None
        spans = [*composed.sent(), *planned.key_frames]
        stop = threading.Event()

        def write() -> str:
            return _write(planned, spans, part, on_progress, stop)

        with part_file.changed_sources():
            sha256 = await threads.to_its_end(None, write, hurry=stop.set)
        told = replace(composed, local=_local(planned, composed), sha256=sha256)
        return await asyncio.to_thread(composition.write, told, part)

    def _ranges(self, planned: Movie) -> Iterable[CopiedRange]:
        """Which bytes of a movie packs have."""
        offsets = {}
        for source in planned.sources:
            found = self._packed.get(source.path)
            if found is not None and found.fragment["modified_ns"] == source.modified_ns:
                length = source.size_bytes - source.payload_offset
                if found.fragment["length"] == length:
                    offsets[source.path] = found.fragment["offset"] - source.payload_offset
        for one in planned.extents:
            if one.path is not None and one.path in offsets:
                offset = one.offset + offsets[one.path]
                end = one.movie_offset + one.length
                yield CopiedRange(one.movie_offset, end, offset, self._packed[one.path].pack)


async def of(ctx: Context, sessions: Mapping[str, SessionRow]) -> PartWriter:
    """What writes movies of these sessions' fragments."""
    if ctx.packs is None:
        return LocalWriter()
    rows = await readable_packs.written(ctx.store, sessions)
    found = await asyncio.to_thread(_by_path, ctx.settings.media_root, sessions, rows)
    sources = [CopySource(packs.storage_path(row), row["tag"]) for row in rows]
    return PackedWriter(ctx.packs, sources, found)


def _by_path(
    root: Path, sessions: Mapping[str, SessionRow], rows: Sequence[PackRow]
) -> dict[str, _Packed]:
    """The packed fragments by the paths of their files."""
    found = {}
    for session in sessions.values():
        try:
            folder = str(fragment_path(root, session))
        except PathRefused:
            continue  # who plans of it says so
        for number, row in enumerate(rows):
            if row["session_id"] == session["_id"]:
                for each in row["fragments"]:
                    path = member_text(folder, fragment_name(each["sequence"]))
                    found[path] = _Packed(number, each)
    return found


def _local(planned: Movie, composed: Composition) -> tuple[LocalRange, ...]:
    """Where this machine has what is copied."""
    return tuple(
        LocalRange(one.movie_offset, one.movie_offset + one.length, one.path, one.offset)
        for each in composed.copied
        for one in planned.extents_of(each.start, each.end)
        if one.path is not None
    )


def _write(
    planned: Movie,
    spans: Iterable[tuple[int, int]],
    part: Path,
    on_progress: Callable[[float], None],
    stop: threading.Event,
) -> str:
    """Writes these spans of a movie into its part, which is as large as all of it: its SHA-256."""
    digest = hashlib.sha256()
    position = 0
    wanted = list(spans)
    with clip_files.disk_errors(), part.open("xb") as file:
        file.truncate(planned.size_bytes)
        for block in movie_bytes.read(planned):
            if stop.is_set():
                break
            digest.update(block)
            for start, end in wanted:
                first, last = max(0, start - position), min(len(block), end - position)
                if first < last:
                    os.pwrite(file.fileno(), block[first:last], position + first)
            position += len(block)
            on_progress(position / planned.size_bytes)
    return digest.hexdigest()
