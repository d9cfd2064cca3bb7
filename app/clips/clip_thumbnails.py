"""Small pictures of clips: a poster, and a sprite sheet with one tile for each key frame.

Made when somebody asks for them the first time, then kept in a folder of the clip's own, which
goes with it. `clip` is its row, `file` that of its file throughout.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from app.buffer.paths import THUMBNAILS_ROOT
from app.clips import clip_source
from app.clips.clip_source import ClipSource
from app.context import Context
from app.errors import Gone
from app.media.picture_sources import KeyFrame, KeyFrameIndex, NoPicture, Tile, sheet_plan
from app.media.sprites import MAX_TILES, Cue, Grid, fitted
from app.models import ClipRow, FileRow
from app.models.schema import ReplayClip
from app.storage import clip_files
from app.storage.confined import PathRefused, inside, is_name
from app.store import chunks
from app.viewing import drawing
from app.viewing.drawing import Drawing, Kind
from app.work import rounds
from app.work.jobs import hours, job, seconds
from app.work.places import Stint

ORPHANED_SECONDS = 3600.0
"""A folder that is older than this and whose clip is gone was left by somebody who was killed."""
_AT_ONCE = 500

log = structlog.get_logger()


async def index(
    ctx: Context, queue: Drawing, clip: ClipRow, file: FileRow, user: str
) -> tuple[Grid, list[Cue]]:
    """The places on the clip's sheet, and when each is shown, for a user.

    Raises Gone, TooManyRequests, Unavailable if it takes longer.
    """

    async def read(stint: Stint) -> KeyFrameIndex:
        async with _reading(ctx, file) as source:
            await source.fetch_beginning()
            return await queue.stills.index(stint, source.path)

    name = f"{file['storage_path']}.index"
    movie = await queue.once(Kind.POSTER, name, read, user=user, source=_source(clip))
    starts = [0.0, *(key.seconds for key in _chosen(movie)[1:])]
    ends = [*starts[1:], movie.seconds]
    cues = [
        Cue(start, end, number)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    return _grid(movie), cues


async def poster(
    ctx: Context,
    queue: Drawing,
    clip: ClipRow,
    file: FileRow,
    user: str,
    *,
    is_prompt: bool = False,
) -> Path:
    """The file of the first key frame that the clip shows, for a user.

    `is_prompt`: see `Drawing.once`. Raises Gone, StorageFull, TooManyRequests, Unavailable if
    drawing takes longer.
    """

    async def make(stint: Stint) -> bytes:
        async with _reading(ctx, file) as source:
            if not source.is_whole:
                await source.fetch_beginning()
                await _fetch(source, (await queue.stills.index(stint, source.path)).keys[:1])
            return await queue.stills.poster_of_movie(stint, source.path)

    kept = Kind.POSTER, "poster.jpg"
    return await _kept(ctx, queue, clip, kept, user, make, is_prompt=is_prompt)


async def sheet(ctx: Context, queue: Drawing, clip: ClipRow, file: FileRow, user: str) -> Path:
    """The file of the clip's sheet, for a user.

    Raises Gone, StorageFull, TooManyRequests, Unavailable if drawing takes longer, DrawingFailed.
    """

    async def make(stint: Stint) -> bytes:
        async with _reading(ctx, file) as source:
            await source.fetch_beginning()
            movie = await queue.stills.index(stint, source.path)
            await _fetch(source, _chosen(movie))
            if not movie.keys:
                return await queue.stills.single(stint, source.path, _grid(movie))
            avcc = movie.avcc.hex()
            tiles = [
                Tile(number, str(source.path), key.offset, key.size_bytes, avcc)
                for number, key in enumerate(_chosen(movie))
            ]
            return await drawing.sheet(stint, sheet_plan(_grid(movie), tiles))

    return await _kept(ctx, queue, clip, (Kind.SHEET, "sheet.jpg"), user, make)


def remove(root: Path, clip_id: str) -> None:
    """Removes the pictures of a clip, if there are any. Blocks."""
    with suppress(FileNotFoundError):
        shutil.rmtree(inside(root, f"{THUMBNAILS_ROOT}/{clip_id}"))


@job("sweep_thumbnails", every=hours(1), timeout=seconds(90))
async def sweep(ctx: Context) -> None:
    """Removes the pictures of clips that are gone."""
    root = ctx.settings.media_root
    names = await asyncio.to_thread(_old, root / THUMBNAILS_ROOT)
    for chunk in chunks(names, _AT_ONCE):
        rows = ctx.store.rows(ReplayClip).find({"_id": {"$in": chunk}}, {"_id": 1})
        orphaned = set(chunk) - {row["_id"] async for row in rows}
        for clip_id in orphaned:
            with rounds.item(clip=clip_id):
                await asyncio.to_thread(remove, root, clip_id)
                log.info("thumbnails_removed", clip=clip_id)


async def _kept(
    ctx: Context,
    queue: Drawing,
    clip: ClipRow,
    what: tuple[Kind, str],
    user: str,
    make: Callable[[Stint], Awaitable[bytes]],
    *,
    is_prompt: bool = False,
) -> Path:
    root, clip_id = ctx.settings.media_root, clip["_id"]
    kind, name = what
    storage_path = f"{THUMBNAILS_ROOT}/{clip_id}/{name}"
    path = clip_files.locate(root, storage_path)

    async def make_and_keep(stint: Stint) -> None:
        picture = await make(stint)
        if not picture:
            raise _no_picture()
        await asyncio.to_thread(clip_files.save, root, storage_path, picture)
        # The removal of a clip is told by its row first, and takes its pictures then.
        if not await ctx.store.rows(ReplayClip).find_one({"_id": clip_id, "ready": True}):
            await asyncio.to_thread(remove, root, clip_id)
            raise Gone("the clip was deleted")

    if not path.exists():
        source = _source(clip)
        await queue.once(
            kind, storage_path, make_and_keep, user=user, source=source, is_prompt=is_prompt
        )
    return path


def _source(clip: ClipRow) -> str:
    """Whose media it shows: that of its share, which the oldest rows don't name."""
    return clip["buffer_id"] or clip["_id"]


@asynccontextmanager
async def _reading(ctx: Context, file: FileRow) -> AsyncIterator[ClipSource]:
    """A clip's file, to be read within the block. Raises Gone where it can't be."""
    try:
        async with clip_source.opened(ctx, file) as source:
            yield source
    except PathRefused as error:
        log.error("clip_path_refused", file=file["_id"], error=str(error))
        raise Gone("the file of this clip is lost") from error
    except (FileNotFoundError, EOFError) as error:
        raise Gone("the file of this clip is lost") from error
    except NoPicture as error:
        log.warning("no_picture", file=file["_id"], path=file["storage_path"], error=str(error))
        raise _no_picture() from error


async def _fetch(source: ClipSource, keys: Sequence[KeyFrame]) -> None:
    """Returns when these key frames can be read; if there are none, whatever there is."""
    if keys:
        await source.fetch((key.offset, key.offset + key.size_bytes) for key in keys)
    else:
        await source.fetch_all()


def _no_picture() -> Gone:
    return Gone("no picture can be made of this clip")


def _chosen(movie: KeyFrameIndex) -> tuple[KeyFrame, ...]:
    every = -(-len(movie.keys) // MAX_TILES) or 1
    return movie.keys[::every]


def _grid(movie: KeyFrameIndex) -> Grid:
    return Grid(len(_chosen(movie)) or 1, *fitted(movie.width, movie.height))


def _old(folder: Path) -> list[str]:
    """The names of the folders in a folder that have not changed for ORPHANED_SECONDS."""
    before = time.time() - ORPHANED_SECONDS
    try:
        return [
            path.name
            for path in folder.iterdir()
            if is_name(path.name) and path.lstat().st_mtime < before
        ]
    except FileNotFoundError:
        return []  # no picture was ever made, or one went meanwhile: the next pass sees the rest
