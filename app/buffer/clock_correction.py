"""A session's exact clock, and what was indexed before it was known."""

from __future__ import annotations

from datetime import datetime

from pymongo import UpdateOne

from app.buffer import clock
from app.models import SessionRow
from app.models.schema import EgressSession, Segment
from app.store import Store, chunks

_BATCH = 500


async def is_credible(store: Store, session: SessionRow, clock_ns: int, now: datetime) -> bool:
    """Whether a session's media can have begun at `clock_ns`, as egress says.

    Not before the session, and not so late that some of what is indexed would be still to come.
    """
    reached = [0]
    if session["clock_ns"] is not None:  # without one nothing is indexed
        # Those that can't be used are where their playlist says.
        newest = {"session_id": session["_id"], "fault": None}, {"end_ticks": 1}
        row = await store.rows(Segment).find_one(*newest, sort=[("sequence", -1)])
        reached += [row["end_ticks"]] if row is not None else []
    instants = (clock.wall(clock_ns, ticks) for ticks in reached)
    return all(clock.is_credible(each, session["created_at"], now) for each in instants)


async def correct(store: Store, session_id: str, clock_ns: int) -> None:
    """Gives a session its exact clock, and moves what was indexed before.

    Does nothing once the clock is exact. The clock is written first, then the rows are moved, and
    only then is it called exact. So an interrupted correction is done again by the next call. An
    indexer that inserts meanwhile sees the new clock when it looks again.
    """
    sessions = store.rows(EgressSession)
    claimed = await sessions.update_one(
        {"_id": session_id, "clock_exact": False}, {"$set": {"clock_ns": clock_ns}}
    )
    if not claimed.matched_count:
        return
    await _move_rows(store, session_id, clock_ns)
    await sessions.update_one({"_id": session_id}, {"$set": {"clock_exact": True}})


async def _move_rows(store: Store, session_id: str, clock_ns: int) -> None:
    """Sets `start` and `end` of a session's segments by its clock, where they differ."""
    segments = store.rows(Segment)
    moves: list[UpdateOne] = []
    times = {"start": 1, "end": 1, "start_ticks": 1, "end_ticks": 1}
    async for row in segments.find({"session_id": session_id}, times):
        instants = clock.span(clock_ns, row)
        if instants != {"start": row["start"], "end": row["end"]}:
            moves.append(UpdateOne({"_id": row["_id"]}, {"$set": instants}))
    for chunk in chunks(moves, _BATCH):
        await segments.bulk_write(chunk, ordered=False)
