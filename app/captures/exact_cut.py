"""Exact cuts: pieced if that can be, encoded whole otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from app.captures import encoded_cut, pieced_cut
from app.captures.part_file import PartWriter, WrittenPart
from app.captures.progress import WorkReport
from app.captures.slots import CallersSlots
from app.media import ends
from app.media.faults import Unpreparable
from app.media.movie import Run
from app.models import Gaps

log = structlog.get_logger()


async def make(
    runs: Sequence[Run],
    part: Path,
    report: WorkReport,
    slots: CallersSlots,
    writer: PartWriter,
    *,
    gaps: Gaps,
) -> WrittenPart:
    """Writes the part. Raises Lost, NothingToShow, SegmentChanged, FfmpegFailed, StorageFull."""
    try:
        pieces = await asyncio.to_thread(ends.find, runs)
        if pieces is not None:
            return await pieced_cut.make(pieces, part, report, slots, writer, gaps=gaps)
    except (ends.OtherPictures, Unpreparable) as error:
        log.warning("exact_ends_unfit", part=part.name, error=str(error))
    return await encoded_cut.make(runs, part, report, slots, writer, gaps=gaps)
