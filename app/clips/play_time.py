"""A clip's own time, in seconds from its first picture, and the wall clock: one to the other. Pure.

They differ by the pauses that the clip leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.models import ClipFields, ClipGap, ClipRow


def begin(row: ClipRow) -> datetime:
    """When a clip's first picture was on the screen."""
    return row["delivered_start"] or row["requested_start"]


def instant(row: ClipRow, seconds: float, *, is_end: bool = False) -> datetime:
    """What the wall clock said at a moment of a clip.

    Where a pause was left out there are two: the later one begins what follows, the earlier one
    ends (`is_end`) what was before.
    """
    at, left = begin(row), timedelta(seconds=seconds)
    for gap in left_out(row):
        stretch = gap["start"] - at
        if left < stretch or (is_end and left == stretch):
            break
        left -= stretch
        at = gap["end"]
    return at + left


def seconds_at(told: ClipFields, at: datetime) -> float | None:
    """Which moment of a clip an instant is; None: it is not in it, or there is no picture then."""
    start, end = told["delivered_start"], told["delivered_end"]
    if not start <= at < end or any(gap["start"] <= at < gap["end"] for gap in told["gaps"]):
        return None
    before = [gap for gap in _left_out_of(told["gaps"], start, end) if gap["end"] <= at]
    paused = sum((gap["end"] - gap["start"] for gap in before), timedelta(0))
    return (at - start - paused).total_seconds()


def gaps_between(row: ClipRow, start: datetime, end: datetime) -> list[ClipGap]:
    """A clip's gaps within a part of it, cut to that part."""
    found: Sequence[ClipGap] = [
        {**gap, "start": max(gap["start"], start), "end": min(gap["end"], end)}
        for gap in row["gaps"]
    ]
    return [gap for gap in found if gap["start"] < gap["end"]]


def left_out(row: ClipRow) -> list[ClipGap]:
    """The pauses that take no play time, in order."""
    return _left_out_of(row["gaps"], begin(row), row["delivered_end"] or row["requested_end"])


def _left_out_of(gaps: Sequence[ClipGap], start: datetime, end: datetime) -> list[ClipGap]:
    within = [gap for gap in gaps if start <= gap["start"] and gap["end"] <= end]
    return sorted((gap for gap in within if not gap["kept"]), key=lambda gap: gap["start"])
