"""What a rendition is encoded from: of a clip in a bucket, no more is fetched than ffmpeg reads."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from app.clips import play_time
from app.clips.clip_source import ClipSource
from app.media import movie, own_movie
from app.media.own_movie import NotOurs
from app.media.picture_sources import NoPicture
from app.models import ClipRow, RenditionRow
from app.storage import clip_files

MARGIN_SECONDS = 2.0
"""Before and after what is shown: libav seeks to 0.13 s before that, and reads a little ahead."""


async def fetch(source: ClipSource, clip: ClipRow, row: RenditionRow) -> None:
    """Returns when all is there that is decoded. Raises EOFError if the clip is gone, StoreAway,
    StorageFull."""
    if source.is_whole:
        return
    with clip_files.disk_errors():
        with suppress(NoPicture):  # then it is none of ours
            await source.fetch_beginning()
        try:
            await source.fetch(await asyncio.to_thread(_spans, source.path, clip, row))
        except NotOurs:
            await source.fetch_all()


def _spans(path: Path, clip: ClipRow, row: RenditionRow) -> list[tuple[int, int]]:
    """Where the part is in the file, and the key frame before it. Raises NotOurs."""
    whole = own_movie.read(path, play_time.begin(clip), clip["_id"])
    start, end = row["start_seconds"] - MARGIN_SECONDS, row["end_seconds"] + MARGIN_SECONDS
    part = own_movie.part(whole, start, end)
    return [(one.offset, one.offset + one.length) for one in movie.plan([part]).extents if one.path]
