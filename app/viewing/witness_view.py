"""The part of a timeline that a user sees who may watch only what they were there for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from app.buffer import clock
from app.errors import NotPermitted
from app.models import BufferGapWhy, instants, intervals
from app.models.intervals import Interval
from app.viewing.spans import Gap, Span
from app.viewing.timeline import Timeline


def witnessed(timeline: Timeline, stays: Sequence[Interval]) -> Timeline:
    """The timeline with what of its spans lies in `stays`, which are in order and apart.

    What lies between two of them is a gap. The state is that of the share.
    """
    spans = [
        _cut(span, piece)
        for span in timeline.spans
        for piece in intervals.within(stays, span.start, span.end)
    ]
    if not spans:
        return replace(timeline, spans=(), gaps=())
    there = intervals.within(stays, spans[0].start, spans[-1].end)
    gaps = [
        Gap(*piece, gap.why)
        for gap in timeline.gaps
        for piece in intervals.within(there, gap.start, gap.end)
    ]
    gaps += [
        Gap(left, joined, BufferGapWhy.NOT_PRESENT) for (_, left), (joined, _) in pairwise(there)
    ]
    gaps.sort(key=lambda gap: gap.start)
    return replace(timeline, spans=tuple(spans), gaps=tuple(gaps))


def refusal(start: datetime, end: datetime) -> NotPermitted:
    """The error of somebody who was not there at any moment of [start, end)."""
    first, last = map(instants.written, (start, end))
    return NotPermitted(
        f"nothing from {first} to {last} happened while you were in the room, and the community's "
        "capture_policy opens only that"
    )


def _cut(span: Span, piece: Interval) -> Span:
    start, end = piece
    return replace(
        span,
        start=start,
        end=end,
        start_ticks=span.start_ticks + clock.ticks(start - span.start),
        end_ticks=span.end_ticks - clock.ticks(span.end - end),
    )
