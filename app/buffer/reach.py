"""How far a share has got by the clock of its own media, which may be ahead of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.buffer import clock
from app.buffer.coverage import Indexed, usable_ticks
from app.models import SessionRow


class _Newest(NamedTuple):
    """The end of a session's newest segment, by the clock of its media, and when its row was
    written, by ours."""

    end: datetime
    written_at: datetime


def latest(
    sessions: Sequence[SessionRow], indexed: Mapping[str, Indexed], now: datetime
) -> datetime:
    """The end of what was recorded in a share's sessions up to a moment of ours: indexed, or still
    to come."""
    ends = [now]
    for session in sessions:
        newest = _newest(session, indexed.get(session["_id"]))
        if newest is not None:
            ends.append(newest.end)
            if session["indexing"] is not None and session["ended_at"] is None:
                ends.append(now + _ahead(session, newest))
    return max(ends)


def seen_ahead(session: SessionRow, known: Indexed | None) -> timedelta:
    """How far egress's clock is ahead of ours, where it is seen to be: nothing if its newest media
    is of no time that was still to come when it was indexed."""
    newest = _newest(session, known)
    if newest is None or newest.end <= newest.written_at:
        return timedelta(0)
    return _ahead(session, newest)


def _ahead(session: SessionRow, newest: _Newest) -> timedelta:
    """As far as the newest segment tells, which is committed a while after its end."""
    taken = clock.PIPELINE + timedelta(seconds=session["segment_seconds"])
    return min(max(timedelta(0), newest.end + taken - newest.written_at), clock.SKEW)


def _newest(session: SessionRow, known: Indexed | None) -> _Newest | None:
    if known is None or known.newest_at is None or session["clock_ns"] is None:
        return None
    return _Newest(clock.wall(session["clock_ns"], usable_ticks(known.runs)), known.newest_at)
