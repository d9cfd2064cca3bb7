"""One small row per session that says what is indexed of it: see `coverage`.

The indexer writes it when TAIL_SEGMENTS rows are not in it yet, at the latest, and once more when
the session is read to its end. A reader adds the rows after `through`. So a timeline costs the same
after a minute and after an hour, and a list of many costs little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from app.buffer import reach
from app.buffer.coverage import Coverage, Indexed, run_of, without, without_lost
from app.models import FaultSlug, LostRange, SegmentRow, SessionRow, SummaryRow
from app.models.schema import EgressSession, Segment, Summary
from app.store import Store

TAIL_SEGMENTS = 16
NO_SAMPLES = {"samples": 0}
_CLOCK = dict.fromkeys(("indexing", "ended_at", "clock_ns", "segment_seconds"), 1)


async def read(store: Store, sessions: Iterable[SessionRow]) -> dict[str, Indexed]:
    """What is indexed, by session id. `sessions` are rows with `_id` and `indexing`."""
    live = {row["_id"]: row["indexing"] is not None for row in sessions}
    found = store.rows(Summary).find({"_id": {"$in": list(live)}})
    summaries = {row["_id"]: row for row in await found.to_list(None)}
    tails = await asyncio.gather(
        *(
            tail(store, each, summaries.get(each, _nothing(each)).get("through", -1))
            for each in live
            if live[each]
        )
    )
    by_session = dict(zip([each for each in live if live[each]], tails, strict=True))
    return {
        each: _indexed(summaries.get(each, _nothing(each)), by_session.get(each, []))
        for each in live
        if each in summaries or by_session.get(each)
    }


async def recorded_until(store: Store, buffer_id: str, now: datetime) -> datetime:
    """The end of what was recorded of a share up to a moment of ours, by the clock of its media
    where that is later: indexed, or still to come."""
    sessions = await store.rows(EgressSession).find({"buffer_id": buffer_id}, _CLOCK).to_list(None)
    return reach.latest(sessions, await read(store, sessions), now)


async def stored(store: Store, session_id: str) -> SummaryRow:
    """A session's summary; an empty row if there is none."""
    return await store.rows(Summary).find_one({"_id": session_id}) or _nothing(session_id)


async def tail(store: Store, session_id: str, after: int) -> list[SegmentRow]:
    """The rows of a session with a sequence above `after`, in order, without their samples."""
    query = {"session_id": session_id, "sequence": {"$gt": after}}
    return await store.rows(Segment).find(query, NO_SAMPLES).sort("sequence", 1).to_list(None)


def _nothing(session_id: str) -> SummaryRow:
    return {"_id": session_id}


def _indexed(summary: SummaryRow, rows: list[SegmentRow]) -> Indexed:
    coverage = Coverage.read(summary.get("runs", []))
    for row in rows:
        coverage.add(run_of(row))
    runs = list(coverage.runs)
    if (kept_from := summary.get("kept_from_ticks")) is not None and runs:
        runs = without(runs, min(runs[0].start_ticks, kept_from), kept_from)
    for lost in summary.get("lost", []):
        runs = without_lost(runs, lost)
    newest_at = rows[-1]["indexed_at"] if rows else summary.get("newest_at")
    return Indexed(tuple(runs), newest_at)


async def forget_before(store: Store, session_id: str, ticks: int, sequence: int = 0) -> None:
    """Ends the offer of a session's media before a media time, and below a sequence."""
    await store.rows(Summary).update_one(
        {"_id": session_id},
        {"$max": {"kept_from_ticks": ticks, "kept_from": sequence}},
        upsert=True,
    )


async def kept_from(store: Store, session_ids: Iterable[str]) -> dict[str, int]:
    """By session id the media time before which nothing is offered, if there is one."""
    query = {"_id": {"$in": list(session_ids)}, "kept_from_ticks": {"$ne": None}}
    found = store.rows(Summary).find(query, {"kept_from_ticks": 1})
    rows = await found.to_list(None)
    return {row["_id"]: ticks for row in rows if (ticks := row.get("kept_from_ticks")) is not None}


async def lose(
    store: Store, session_id: str, start_ticks: int, end_ticks: int, fault: FaultSlug
) -> None:
    """Turns a stretch of a session's media into a gap, for the reason `fault`."""
    stretch: LostRange = {"start_ticks": start_ticks, "end_ticks": end_ticks, "fault": fault}
    await store.rows(Summary).update_one(
        {"_id": session_id}, {"$addToSet": {"lost": stretch}}, upsert=True
    )


async def write(
    store: Store, session_id: str, coverage: Coverage, floor: int, newest_at: datetime | None
) -> None:
    """Writes the indexer's part."""
    part = {
        "through": coverage.runs[-1].last if coverage.runs else -1,
        "floor": floor,
        "runs": coverage.documents(),
        "newest_at": newest_at,
    }
    await store.rows(Summary).update_one({"_id": session_id}, {"$set": part}, upsert=True)
