"""A clip's file as programs read it: where it lies, or an excerpt of one that is in a bucket.

An excerpt is as large as the clip, and has its index, how its media begins, and what was fetched.
All else in it are zeros, which take no space.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import shutil
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from app.buffer.paths import THUMBNAILS_ROOT
from app.context import Context
from app.errors import Unavailable
from app.media.picture_sources import NoPicture
from app.models import FileRow
from app.storage import clip_files
from app.storage.clip_store import OpenedClip
from app.work import threads

BEGINNING_BYTES = 2 * 2**20
"""Of the media: libav looks at the first pictures before it tells of any."""
MOST_INDEX_BYTES = 64 * 2**20
"""Some times what the index of a day has."""
MOST_BYTES = 256 * 2**20
FETCH_SECONDS = 15.0
"""For what is fetched at once: others wait for their pictures."""
FETCHED_AT_ONCE = 8
_BOX = struct.Struct(">I4s")
_HEAD_BYTES = 4096
_RETRY_SECONDS = 5


class ClipSource:
    """A file at `path`. `is_whole`: nothing has to be fetched before it is read.

    `somebody_waits`: for pictures, for which so much is fetched, in so much time.
    """

    def __init__(
        self, path: Path, clip: OpenedClip | None = None, *, somebody_waits: bool = True
    ) -> None:
        self.path = path
        self.is_whole = clip is None
        self.tag = "" if clip is None else clip.tag
        self._clip = clip
        self._left_bytes = MOST_BYTES if somebody_waits else math.inf
        self._seconds = FETCH_SECONDS if somebody_waits else None

    async def fetch(self, spans: Iterable[tuple[int, int]]) -> None:
        """Returns when all bytes [start, end) of these are there.

        Raises NoPicture if they are too many, Unavailable if it takes too long, EOFError if the
        clip is gone.
        """
        if self._clip is None:
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._fetch(self._clip, spans)
        except TimeoutError as error:
            raise Unavailable(
                "the place where clips are kept takes long: ask again", retry_after=_RETRY_SECONDS
            ) from error

    async def _fetch(self, clip: OpenedClip, spans: Iterable[tuple[int, int]]) -> None:
        wanted = [(start, min(end, clip.size_bytes)) for start, end in spans]
        self._left_bytes -= sum(max(0, end - start) for start, end in wanted)
        if self._left_bytes < 0:
            raise NoPicture(f"more than {MOST_BYTES} bytes were to be read of it")
        turns = asyncio.Semaphore(FETCHED_AT_ONCE)
        with self.path.open("r+b") as file:
            copies = [
                asyncio.create_task(_copy(clip, file.fileno(), span, turns)) for span in wanted
            ]
            try:
                await asyncio.gather(*copies)
            finally:
                # Before the file is closed: its descriptor may be another's then.
                for each in copies:
                    each.cancel()
                await asyncio.gather(*copies, return_exceptions=True)

    async def fetch_beginning(self, media_bytes: int = BEGINNING_BYTES) -> None:
        """Returns when its index can be read, and how its media begins. Raises as `fetch` does."""
        await self.fetch([(0, _HEAD_BYTES)])
        if not self.is_whole:
            await self.fetch([(_HEAD_BYTES, _index_end(self.path) + media_bytes)])

    async def fetch_all(self) -> None:
        """Returns when all of it is there. Raises as `fetch` does."""
        if self._clip is not None:
            await self.fetch([(0, self._clip.size_bytes)])


@asynccontextmanager
async def opened(ctx: Context, file: FileRow) -> AsyncIterator[ClipSource]:
    """The file of a row, until the block ends. Raises FileNotFoundError, PathRefused, StoreAway."""
    local = ctx.clips.local_path(file["storage_path"])
    if local is not None:
        yield ClipSource(local)
        return
    clip = await _open(ctx, file)
    # A folder of its own, which is swept as that of a clip that is gone if nobody is left to do it.
    name = f"{THUMBNAILS_ROOT}/excerpt-{secrets.token_hex(8)}/clip.mp4"
    path = await asyncio.to_thread(_made, ctx.settings.media_root, name, clip.size_bytes)
    try:
        yield ClipSource(path, clip)
    finally:
        await asyncio.to_thread(shutil.rmtree, path.parent, ignore_errors=True)
        await clip.close()


async def _copy(clip: OpenedClip, to: int, span: tuple[int, int], turns: asyncio.Semaphore) -> None:
    position, end = span
    async with turns:
        async for block in clip.read(position, end):
            # A millisecond, unless the disk has more to write than it keeps up with.
            await threads.to_its_end(None, partial(os.pwrite, to, block, position))
            position += len(block)


@asynccontextmanager
async def excerpt(
    ctx: Context, file: FileRow, part: Path, what: str = "source"
) -> AsyncIterator[ClipSource]:
    """The file of a row that `part` is made of, until the block ends: where it lies, or an excerpt
    beside `part` that has nothing yet, named by `what` it is to it.

    Raises FileNotFoundError, PathRefused, StoreAway, StorageFull.
    """
    local = ctx.clips.local_path(file["storage_path"])
    if local is not None:
        yield ClipSource(local)
        return
    clip = await _open(ctx, file)
    path = clip_files.beside(part, what)
    try:
        await asyncio.to_thread(_extend, path, clip.size_bytes)
        yield ClipSource(path, clip, somebody_waits=False)
    finally:
        path.unlink(missing_ok=True)
        await clip.close()


async def _open(ctx: Context, file: FileRow) -> OpenedClip:
    """The file of a row, if it is as large: this disk takes no more than it says.

    Raises FileNotFoundError, PathRefused, StoreAway.
    """
    clip = await ctx.clips.open(file["storage_path"])
    if clip.size_bytes != file["size_bytes"]:
        await clip.close()
        raise FileNotFoundError(
            f"{file['storage_path']} has {clip.size_bytes} bytes, and the clip {file['size_bytes']}"
        )
    return clip


def _made(root: Path, name: str, size_bytes: int) -> Path:
    path = clip_files.part_path(root, name, 1)
    _extend(path, size_bytes)
    return path


def _extend(path: Path, size_bytes: int) -> None:
    """Makes a file of zeros, which take no space."""
    with clip_files.disk_errors(), path.open("wb") as file:
        file.truncate(size_bytes)


def _index_end(path: Path) -> int:
    """Where the index of an MP4 ends that begins with it, as ours do. Raises NoPicture."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    position = 0
    size_bytes: int
    while position + _BOX.size <= len(head):
        size_bytes, kind = _BOX.unpack_from(head, position)
        if size_bytes < _BOX.size or size_bytes > MOST_INDEX_BYTES:
            break
        position += size_bytes
        if kind == b"moov":
            return position
    raise NoPicture("it does not begin with its index")
