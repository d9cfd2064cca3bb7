"""A session's clock: from media time to the wall clock.

Media time is counted in ticks of 1/90,000 s from PTS 3600 s. The wall clock of tick t is the
egress's own `segment_results[0].started_at` + t/90000 s, right within 10 to 41 ms in 22 runs of
egress v1.14.1. File names and EXT-X-PROGRAM-DATE-TIME are 1.2 to 2.2 s late, constant within a run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo import UpdateOne

from app.models import SegmentRow, SessionRow
from app.models.schema import EgressSession, Segment
from app.store import Store

TICKS_PER_SECOND = 90_000
PROGRAM_DATE_TIME_LATE_SECONDS = 1.7
"""The middle of what was measured: the stand-in is then wrong by at most half a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH = 500


def wall(clock_ns: int, ticks: int) -> datetime:
    """The instant of a media time, UTC, cut to ms as the database keeps it."""
    milliseconds = (clock_ns * 9 + ticks * 100_000) // 9_000_000
    return _EPOCH + timedelta(milliseconds=milliseconds)


def ticks_at(clock_ns: int, instant: datetime) -> int:
    """The media time of an instant, rounded down; negative before the session's media began."""
    microseconds = (instant - _EPOCH) // timedelta(microseconds=1)
    return (microseconds * 1000 - clock_ns) * 9 // 100_000


def stand_in(program_date_time: datetime, ticks: int) -> int:
    """`clock_ns` made from the EXT-X-PROGRAM-DATE-TIME of a segment that begins at `ticks`."""
    start = program_date_time - timedelta(seconds=PROGRAM_DATE_TIME_LATE_SECONDS)
    microseconds = (start - _EPOCH) // timedelta(microseconds=1)
    return microseconds * 1000 - ticks * 100_000 // 9


async def correct(store: Store, session_id: str, clock_ns: int) -> None:
    """Gives a session its exact clock; moves what was indexed before.

    Does nothing once the clock is exact. The clock is written first, the rows are moved, and only
    then is it called exact: an interrupted correction is done again by the next call, and an
    indexer that inserts meanwhile finds the new clock when it looks again (see `committing`).
    """
    sessions = store.rows(EgressSession)
    claimed = await sessions.update_one(
        {"_id": session_id, "clock_exact": False}, {"$set": {"clock_ns": clock_ns}}
    )
    if not claimed.matched_count:
        return
    await move_rows(store, session_id, clock_ns)
    await sessions.update_one({"_id": session_id}, {"$set": {"clock_exact": True}})


async def move_rows(store: Store, session_id: str, clock_ns: int) -> None:
    """Sets `start` and `end` of a session's segments by its clock, where they are others."""
    segments = store.rows(Segment)
    moves: list[UpdateOne] = []
    times = {"start": 1, "end": 1, "start_ticks": 1, "end_ticks": 1}
    async for row in segments.find({"session_id": session_id}, times):
        instants = span(clock_ns, row)
        if instants != {"start": row["start"], "end": row["end"]}:
            moves.append(UpdateOne({"_id": row["_id"]}, {"$set": instants}))
    for begin in range(0, len(moves), _BATCH):
        await segments.bulk_write(moves[begin : begin + _BATCH], ordered=False)


def of(session: SessionRow) -> int:
    """The clock of a session that has one. LookupError if it has none yet."""
    if session["clock_ns"] is None:
        raise LookupError(f"the clock of session {session['_id']} is not known yet")
    return session["clock_ns"]


def span(clock_ns: int, row: SegmentRow) -> dict[str, datetime]:
    """`start` and `end` of a segment's row, from its ticks."""
    return {
        "start": wall(clock_ns, row["start_ticks"]),
        "end": wall(clock_ns, row["end_ticks"]),
    }
