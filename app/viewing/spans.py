"""Runs of segments laid out on the wall clock: spans of media, and the gaps between them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.buffer import clock
from app.buffer.coverage import HOLE_FRAMES, CoverageRun, Indexed
from app.models import BufferGapWhy, EgressStatus, FaultSlug, SessionRow
from app.models.instants import FOREVER
from app.models.intervals import Interval

_FAILED = frozenset({EgressStatus.FAILED, EgressStatus.ABORTED, EgressStatus.LIMIT_REACHED})
_FRAME_TICKS = 6_000  # 15 frames a second, where a run does not tell


@dataclass(frozen=True, slots=True)
class Span:
    """Media without a hole: [start, end) on the wall clock, and as ticks of its session.

    `encoding`: what egress was asked for, None if that is not known.
    """

    start: datetime
    end: datetime
    session_id: str
    start_ticks: int
    end_ticks: int
    audio: bool
    width: int
    height: int
    encoding: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time within the buffer of which nothing can be shown.

    `why`: what is wrong with its segments, or why there is none.
    """

    start: datetime
    end: datetime
    why: FaultSlug | BufferGapWhy


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A run on the wall clock."""

    start: datetime
    end: datetime
    run: CoverageRun
    session: SessionRow


def placed_runs(
    sessions: Sequence[SessionRow], indexed: Mapping[str, Indexed], shown: Sequence[Interval]
) -> list[PlacedRun]:
    """All runs in order of time, clipped so that none overlap and all lie within `shown`."""
    by_session = [
        [
            PlacedRun(wall(row, run.start_ticks), wall(row, run.end_ticks), run, row)
            for run in indexed[row["_id"]].runs
        ]
        for row in sessions
        if row["clock_ns"] is not None and row["_id"] in indexed and indexed[row["_id"]].runs
    ]
    by_session.sort(key=lambda each: each[0].start)
    placed: list[PlacedRun] = []
    until = FOREVER
    for own in reversed(by_session):
        for each in reversed(own):
            placed += reversed(_within(each, until, shown))
        until = own[0].start  # a newer session holds from its first frame
    return placed[::-1]


def _within(each: PlacedRun, until: datetime, shown: Sequence[Interval]) -> list[PlacedRun]:
    cuts = [(max(each.start, start), min(each.end, until, end)) for start, end in shown]
    return [replace(each, start=start, end=end) for start, end in cuts if start < end]


def laid_out(order: Sequence[PlacedRun], shown: Sequence[Interval]) -> tuple[list[Span], list[Gap]]:
    """Runs in order of time as spans, with the gaps between them."""
    spans: list[Span] = []
    gaps: list[Gap] = []
    previous: PlacedRun | None = None
    for each in order:
        if previous is not None and _apart(previous, each):
            gaps.append(Gap(previous.end, each.start, _why(previous, each, shown)))
        if each.run.fault is None:
            spans.append(_span(each))
        else:
            gaps.append(Gap(each.start, each.end, each.run.fault))
        previous = each
    return spans, gaps


def _why(left: PlacedRun, right: PlacedRun, shown: Sequence[Interval]) -> BufferGapWhy:
    if not any(start <= left.end and right.start <= end for start, end in shown):
        return BufferGapWhy.EXPIRED
    if left.session["_id"] == right.session["_id"]:
        return BufferGapWhy.LOST
    if left.session["stopped_for"] is not None:
        return BufferGapWhy.REFUSED
    if left.session["video_sid"] != right.session["video_sid"]:
        return BufferGapWhy.NOT_SHARED
    failed = left.session["status"] in _FAILED or left.session["ghost_at"] is not None
    return BufferGapWhy.EGRESS_FAILED if failed else BufferGapWhy.EGRESS_ENDED


def _apart(left: PlacedRun, right: PlacedRun) -> bool:
    frame_ticks = max(left.run.frame_ticks, right.run.frame_ticks) or _FRAME_TICKS
    hole = timedelta(seconds=HOLE_FRAMES * frame_ticks / clock.TICKS_PER_SECOND)
    return right.start - left.end > hole


def _span(each: PlacedRun) -> Span:
    run, row = each.run, each.session
    whole = each.end == wall(row, run.end_ticks)
    return Span(
        each.start,
        each.end,
        row["_id"],
        max(run.start_ticks, clock.ticks_at(clock.of(row), each.start)),
        run.end_ticks if whole else clock.ticks_at(clock.of(row), each.end),
        run.audio,
        run.width,
        run.height,
        row["encoding"] or None,
    )


def wall(session: SessionRow, ticks: int) -> datetime:
    """The instant of a media time of a session whose clock is known."""
    return clock.wall(clock.of(session), ticks)
