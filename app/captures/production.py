"""Making the file of a capture: planned, written beside its final place, durable, verified."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

from app.captures import copied_cut, exact_cut, window_media
from app.captures.capture_tools import CaptureTools
from app.captures.failures import NothingRecorded
from app.captures.progress import Report
from app.captures.row_leases import Lost
from app.captures.slots import CallersSlots
from app.captures.window_media import WindowMedia
from app.clips import clip_report
from app.clips.clip_location import parts_path
from app.clips.clip_report import ClipContents
from app.context import Context
from app.media.movie import NothingToShow
from app.models import CaptureResult, CaptureRow, Cut
from app.storage import clip_files


async def make(
    ctx: Context, tools: CaptureTools, capture: CaptureRow, report: Report
) -> CaptureResult:
    """Writes the file, then states in the capture's row what it is: its `result`.

    Raises Lost, and the failures of `app.captures.failures`, FfmpegFailed and StorageFull; then no
    file is left.
    """
    part = await asyncio.to_thread(
        clip_files.part_path, ctx.clips.parts_root, parts_path(capture), capture["attempts"]
    )
    try:
        result = await _written(ctx, tools, capture, part, report)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, NothingToShow):
            raise NothingRecorded("no picture was recorded in the window") from error
        raise
    try:
        await report.result(result)
    except Lost:  # of any other error it is not known whether the row has the result
        part.unlink(missing_ok=True)
        raise
    return result


async def _written(
    ctx: Context, tools: CaptureTools, capture: CaptureRow, part: Path, report: Report
) -> CaptureResult:
    slots = CallersSlots(tools.slots, capture["caller"], capture["buffer_id"])
    async with slots.copying():
        await report.begin()
        media = await window_media.read(ctx, capture)
        runs = await asyncio.to_thread(media.runs, ctx.settings.media_root, capture["gaps"])
        if capture["cut"] != Cut.EXACT:
            written = await copied_cut.make(
                runs,
                part,
                report,
                cut=capture["cut"],
                gaps=capture["gaps"],
                title=capture["title"] or None,
            )
            await asyncio.to_thread(clip_files.sync, part)
    if capture["cut"] == Cut.EXACT:
        title = capture["title"] or None
        written = await exact_cut.make(runs, part, report, slots, gaps=capture["gaps"], title=title)
        await asyncio.to_thread(clip_files.sync, part)
    # In no slot: strangers' media decides how long this takes.
    await tools.verifier.verify(
        part, written.expected, caller=capture["caller"], source=capture["buffer_id"]
    )
    return _result(capture, media, written.contents, part)


def _result(
    capture: CaptureRow, media: WindowMedia, contents: ClipContents, part: Path
) -> CaptureResult:
    start = contents.spans[0].start
    return {
        "part": part.name,
        "file_id": secrets.token_hex(12),
        "filename": clip_report.filename(capture["title"], capture["room"], start),
        "size_bytes": part.stat().st_size,
        "created_at": datetime.now(UTC),
        "told": clip_report.fields(capture, contents, media.ranges, exact_clock=media.exact_clock),
    }
