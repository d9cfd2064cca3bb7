"""A session's clock: from media time to the wall clock. Pure.

Media time is counted in ticks of 1/90,000 s from PTS 3600 s. The wall clock of tick t is the
egress's own `segment_results[0].started_at` + t/90000 s, right within 10 to 41 ms in 22 runs of
egress v1.14.1. File names and EXT-X-PROGRAM-DATE-TIME are 1.2 to 2.2 s late, constant within a run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.models import SegmentRow, SessionRow
from app.models.instants import EPOCH

TICKS_PER_SECOND = 90_000
PROGRAM_DATE_TIME_LATE = timedelta(seconds=1.7)
"""The middle of what was measured: the stand-in is then wrong by at most half a second."""

SKEW = timedelta(seconds=10)
"""How far egress's clock may be from ours: the doctor warns from 2 s on. With more, what it tells
would be at another moment than people saw it, and what stands in for it is nearer."""

PIPELINE = timedelta(seconds=1.3)
"""With segments of 2, 4 and 10 s egress committed one this long, and a segment's length, after the
last frame of it."""


def wall(clock_ns: int, ticks: int) -> datetime:
    """The instant of a media time, UTC, cut to ms as the database keeps it."""
    milliseconds = (clock_ns * 9 + ticks * 100_000) // 9_000_000
    return EPOCH + timedelta(milliseconds=milliseconds)


def ticks_at(clock_ns: int, instant: datetime) -> int:
    """The media time of an instant, rounded down; negative before the session's media began."""
    microseconds = (instant - EPOCH) // timedelta(microseconds=1)
    return (microseconds * 1000 - clock_ns) * 9 // 100_000


def ticks(length: timedelta) -> int:
    """A length of time, rounded down."""
    return length // timedelta(microseconds=1) * 9 // 100


def is_credible(instant: datetime, began: datetime, now: datetime) -> bool:
    """Whether something in a session that began then can have been at an instant, as others tell.

    What is dated for the year 2262 would stay until then.
    """
    return began - SKEW <= instant <= now + SKEW


def anchored(instant: datetime, ticks: int) -> int:
    """`clock_ns` of a session of which the media at `ticks` is of this instant."""
    microseconds = (instant - EPOCH) // timedelta(microseconds=1)
    return microseconds * 1000 - ticks * 100_000 // 9


def of(session: SessionRow) -> int:
    """The clock of a session that has one. LookupError if it has none yet."""
    if session["clock_ns"] is None:
        raise LookupError(f"the clock of session {session['_id']} is not known yet")
    return session["clock_ns"]


def ahead_seconds(session: SessionRow) -> float:
    """How far egress's clock is ahead of ours at least, negative if it is behind.

    Its media begins after its start was asked for, and before it is known to record; 0 if that is
    so by its own clock, or if another clock than that stands in.
    """
    asked_at, active_at = session["start_sent_at"], session["active_at"]
    if session["clock_ns"] is None or not session["clock_exact"]:
        return 0.0
    began = wall(session["clock_ns"], 0)
    if active_at is not None and began > active_at:
        return (began - active_at).total_seconds()
    return min(0.0, (began - asked_at).total_seconds()) if asked_at is not None else 0.0


def span(clock_ns: int, row: SegmentRow) -> dict[str, datetime]:
    """`start` and `end` of a segment's row, from its ticks."""
    return {
        "start": wall(clock_ns, row["start_ticks"]),
        "end": wall(clock_ns, row["end_ticks"]),
    }
