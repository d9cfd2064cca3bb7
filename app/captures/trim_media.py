"""What a trim is made of: its clip's own file, of which here is its index, and what is asked for.

Of one that no plan of ours describes, here is all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.captures import far_writer
from app.captures.failures import MediaDeleted
from app.captures.part_file import PartWriter
from app.captures.progress import Fraction, WorkReport
from app.clips import clip_access, clip_report, clip_source, library, play_time
from app.clips.clip_pages import Clip
from app.clips.clip_report import ClipContents
from app.clips.clip_source import ClipSource
from app.context import Context
from app.errors import NotFound
from app.media import own_movie
from app.media.movie import Run
from app.media.own_movie import NotOurs
from app.media.picture_sources import NoPicture
from app.models import CaptureRow, ClipFields, ClipRow, Cut, TrimRange
from app.models.schema import ReplayClip
from app.storage import clip_files
from app.viewing.fragment_sources import SegmentChanged


@dataclass(frozen=True)
class TrimMedia:
    """A clip's file, and which part of it is meant. `writer`: of what is planned of the runs.

    `runs` is empty of one that was encoded whole, which no plan of ours describes. `clock`: what
    the clock of the runs says at the clip's first picture.
    """

    source: ClipSource
    clip: ClipRow
    writer: PartWriter
    part: TrimRange
    runs: list[Run]
    clock: datetime

    def told(self, capture: CaptureRow, contents: ClipContents) -> ClipFields:
        """The fields of the new clip's row that depend on its media."""
        told = clip_report.trimmed(capture, contents, self.clip, clock=self.clock)
        return told if self.runs else {**told, "cut": Cut.EXACT}


@asynccontextmanager
async def opened(
    ctx: Context, capture: CaptureRow, trim: TrimRange, part: Path, report: WorkReport
) -> AsyncIterator[TrimMedia]:
    """The clip of a trim, until the block ends. `part`: what is written of it.

    Raises MediaDeleted if the clip is gone, or goes meanwhile; Lost, StoreAway, StorageFull.
    """
    clip = await source(ctx, trim)
    try:
        async with clip_source.excerpt(ctx, clip.file, part) as found:
            yield await report.watch(_taken(ctx, found, clip, trim), Fraction())
        await source(ctx, trim)
    except (FileNotFoundError, EOFError, SegmentChanged):
        await source(ctx, trim)  # most likely that is why
        raise


async def source(ctx: Context, trim: TrimRange) -> Clip:
    """The clip, as long as it is there: one that rests can come back, and so is one.

    One that somebody had deleted for good is not, though its file may be there for some seconds:
    raises MediaDeleted.
    """
    row = await ctx.store.rows(ReplayClip).find_one({"_id": trim["clip_id"]})
    if row is None or clip_access.is_gone(row, datetime.now(UTC), ctx.settings.trash):
        raise MediaDeleted("the clip that it is a part of was deleted")
    try:
        return await library.with_file(ctx, row)
    except NotFound as error:
        raise MediaDeleted("the clip that it is a part of has no file any more") from error


async def whole(ctx: Context, capture: CaptureRow) -> ClipRow | None:
    """The clip that a trim is a part of; None of a capture that is no trim. Raises MediaDeleted."""
    trim = capture["trim"]
    return None if trim is None else (await source(ctx, trim)).row


async def _taken(ctx: Context, source: ClipSource, clip: Clip, trim: TrimRange) -> TrimMedia:
    with clip_files.disk_errors():
        with suppress(NoPicture):  # then it is none of ours
            await source.fetch_beginning(media_bytes=0)
        media = await asyncio.to_thread(_read, ctx, source, clip, trim)
        if not media.runs:
            await source.fetch_all()
    return media


def _read(ctx: Context, source: ClipSource, clip: Clip, trim: TrimRange) -> TrimMedia:
    row = clip.row
    start, end = trim["start_seconds"], trim["end_seconds"]
    # The clock is right where the part begins: before it pauses may be left out.
    clock = play_time.instant(row, start) - timedelta(seconds=start)
    writer = far_writer.of(ctx.clips, source, clip.file)
    try:
        whole = own_movie.read(source.path, clock, row["_id"])
    except NotOurs:
        return TrimMedia(source, row, writer, trim, [], clock)
    return TrimMedia(source, row, writer, trim, [own_movie.part(whole, start, end)], clock)
