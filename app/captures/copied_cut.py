"""Clips that are copied: no picture of theirs is encoded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from app.captures.failures import SizesDiffer
from app.captures.part_file import PartWriter, WrittenPart
from app.captures.progress import Fraction, Report
from app.media import movie
from app.media.movie import Incompatible, Movie, Run
from app.models import Cut, Gaps, instants


async def make(
    runs: Sequence[Run],
    part: Path,
    report: Report,
    writer: PartWriter,
    *,
    cut: Cut,
    gaps: Gaps,
) -> WrittenPart:
    """Writes the part. Raises Lost, NothingToShow, SizesDiffer, SegmentChanged, StorageFull."""
    planned = await asyncio.to_thread(_plan, runs, cut, gaps)
    fraction = Fraction()
    listing = await report.watch(writer.part(planned, part, fraction.set), fraction)
    return WrittenPart.of(planned, listing)


def _plan(runs: Sequence[Run], cut: Cut, gaps: Gaps) -> Movie:
    try:
        return movie.plan(runs, cut, gaps=gaps)
    except Incompatible as error:
        raise SizesDiffer(
            f"{error}; the widest window that fits is {_in_words(error.widest)}, and with "
            "cut=exact it can be had whole"
        ) from error


def _in_words(runs: Sequence[Run]) -> str:
    start = max(runs[0].start_ticks, runs[0].sources[0].samples.first_pts)
    end = min(runs[-1].end_ticks, runs[-1].sources[-1].samples.end_pts)
    begins, ends = runs[0].wall_clock(start), runs[-1].wall_clock(end)
    return f"{instants.written(begins)} to {instants.written(ends)}"
