"""Making the file of a capture: planned, written beside its final place, durable, verified."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from app.buffer import markers
from app.captures import (
    copied_cut,
    exact_cut,
    reencoded_cut,
    result_pins,
    trim_media,
    window_media,
)
from app.captures.capture_tools import CaptureTools
from app.captures.failures import NothingRecorded
from app.captures.part_file import WrittenPart
from app.captures.progress import Report
from app.captures.row_leases import Lost
from app.captures.slots import CallersSlots
from app.captures.trim_media import TrimMedia
from app.captures.window_media import WindowMedia
from app.clips import chapters, clip_report
from app.clips.clip_location import parts_path
from app.context import Context
from app.media.movie import NothingToShow, Run
from app.models import CaptureResult, CaptureRow, ClipFields, Cut
from app.storage import clip_files, composition
from app.storage.clip_folder import ClipFolder
from app.tracing import trace


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
        await result_pins.extend(ctx, capture, result["part"])
    except BaseException as error:
        composition.discard(part)
        if isinstance(error, NothingToShow):
            raise NothingRecorded("no picture was recorded in the window") from error
        raise
    try:
        await report.result(result)
    except Lost:  # of any other error it is not known whether the row has the result
        composition.discard(part)
        raise
    return result


async def _written(
    ctx: Context, tools: CaptureTools, capture: CaptureRow, part: Path, report: Report
) -> CaptureResult:
    slots = CallersSlots(tools.slots, capture["caller"], capture["buffer_id"])
    async with AsyncExitStack() as held:
        if capture["trim"] is not None and not isinstance(ctx.clips, ClipFolder):
            await held.enter_async_context(slots.fetching())
        async with slots.copying():
            await report.begin()
            media, runs = await _media(ctx, capture, part, report, held)
            written = await _copied(media, runs, capture, part, report)
        if written is None:
            written = await _encoded(media, runs, capture, part, report, slots)
            await asyncio.to_thread(clip_files.sync, part)
        told = media.told(capture, written.contents)
    if capture["trim"] is None:
        marks = await markers.of_buffer(ctx.store, capture["buffer_id"], datetime.now(UTC))
        told = {**told, "chapters": chapters.marked(told, marks)}
    # In no slot: strangers' media decides how long this takes.
    with trace.step("capture.verify"):
        await tools.verifier.verify(
            part, written.expected, caller=capture["caller"], source=capture["buffer_id"]
        )
    return _result(capture, told, part, written.listing)


async def _media(
    ctx: Context, capture: CaptureRow, part: Path, report: Report, held: AsyncExitStack
) -> tuple[WindowMedia | TrimMedia, list[Run]]:
    """What the clip is made of, as long as `held` is not closed, and what a plan is made of."""
    if (trim := capture["trim"]) is None:
        window = await window_media.read(ctx, capture)
        root, gaps = ctx.settings.media_root, capture["gaps"]
        return window, await asyncio.to_thread(window.runs, root, gaps)
    opened = trim_media.opened(ctx, capture, trim, part, report)
    clip = await held.enter_async_context(opened)
    return clip, clip.runs


async def _copied(
    media: WindowMedia | TrimMedia,
    runs: Sequence[Run],
    capture: CaptureRow,
    part: Path,
    report: Report,
) -> WrittenPart | None:
    """The part; None if something of it has to be encoded."""
    if capture["cut"] == Cut.EXACT or not runs:
        return None
    cut, gaps = capture["cut"], capture["gaps"]
    written = await copied_cut.make(runs, part, report, media.writer, cut=cut, gaps=gaps)
    await asyncio.to_thread(clip_files.sync, part)
    return written


async def _encoded(
    media: WindowMedia | TrimMedia,
    runs: Sequence[Run],
    capture: CaptureRow,
    part: Path,
    report: Report,
    slots: CallersSlots,
) -> WrittenPart:
    if isinstance(media, TrimMedia) and not runs:
        return await reencoded_cut.make(media, part, report, slots)
    return await exact_cut.make(runs, part, report, slots, media.writer, gaps=capture["gaps"])


def _result(
    capture: CaptureRow, told: ClipFields, part: Path, listing: Path | None
) -> CaptureResult:
    start = told["delivered_start"]
    return {
        "part": (listing or part).name,
        "file_id": secrets.token_hex(12),
        "filename": clip_report.filename(capture["title"], capture["room"], start),
        "size_bytes": part.stat().st_size,
        "created_at": datetime.now(UTC),
        "told": told,
    }
