"""How loud a share's sound was: the levels of its segments, laid on the wall clock. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.buffer import clock
from app.media.prepared_fragment import LOUDEST
from app.media.samples import AAC_FRAME_SAMPLES, SampleTable
from app.models import MediaRange, SegmentRow

_SLACK = 1e-6
"""Of a part: what a quotient may be off."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound from `start` to `end`, in equal parts; a level is one of `app.media.loudness`."""

    start: datetime
    end: datetime
    levels: bytes


def stretches(rows: Iterable[SegmentRow], ranges: Sequence[MediaRange]) -> list[Stretch]:
    """The sound of these segments that lies in the ranges: whole parts of it, in order.

    A segment that has no levels, or whose row was altered, has none. A segment's sound need not
    begin or end with its pictures.
    """
    found: list[Stretch] = []
    for row in rows:
        if not row["levels"] or max(row["levels"]) > LOUDEST:
            continue
        try:
            table = SampleTable.unpack(row["samples"])
        except ValueError:
            continue
        if not table.sample_rate or not len(table.audio_sizes):
            continue
        for range_ in ranges:
            if range_["session_id"] == row["session_id"]:
                found += _within(range_, row, table)
    return found


def _within(range_: MediaRange, row: SegmentRow, table: SampleTable) -> list[Stretch]:
    levels = row["levels"]
    a_sample = clock.TICKS_PER_SECOND / table.sample_rate
    begin = table.first_audio * a_sample
    part = len(table.audio_sizes) * AAC_FRAME_SAMPLES * a_sample / len(levels)
    first = max(0, math.ceil((range_["start_ticks"] - begin) / part - _SLACK))
    until = min(len(levels), math.floor((range_["end_ticks"] - begin) / part + _SLACK))
    if first >= until:
        return []
    start, end = (_wall(row, begin + place * part) for place in (first, until))
    return [Stretch(start, end, levels[first:until])]


def _wall(row: SegmentRow, ticks: float) -> datetime:
    return row["start"] + timedelta(seconds=(ticks - row["start_ticks"]) / clock.TICKS_PER_SECOND)
