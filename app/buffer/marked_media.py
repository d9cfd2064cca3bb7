"""What somebody has marked: stretches of buffers that stay on offer when the rest has grown old."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from app.buffer import clock, marked_ranges, summary
from app.buffer.coverage import Coverage, Indexed, run_of
from app.models import SegmentRow, SegmentState, SessionRow
from app.models.intervals import Interval
from app.models.schema import Marker, Segment
from app.store import Store, after

# A segment may be this much longer than asked (a hole within), and clocks are corrected by less.
_SLACK = timedelta(seconds=60)
_ALMOST = timedelta(seconds=1)


async def intervals(
    store: Store, buffer_ids: Collection[str], now: datetime
) -> dict[str, list[Interval]]:
    """By buffer id the intervals that its marks keep, in order and apart. Only marked buffers."""
    which = {"buffer_id": {"$in": list(buffer_ids)}, "kept_until": after(now)}
    instants: dict[str, list[datetime]] = {}
    async for row in store.rows(Marker).find(which, {"buffer_id": 1, "at": 1}):
        instants.setdefault(row["buffer_id"], []).append(row["at"])
    return {each: marked_ranges.merged(found) for each, found in instants.items()}


async def among(store: Store, rows: Sequence[SegmentRow], now: datetime) -> set[str]:
    """The ids of segments that begin within a marked stretch, of those given."""
    marks = await intervals(store, {row["buffer_id"] for row in rows}, now)
    return {
        row["_id"]
        for row in rows
        if any(start <= row["start"] < end for start, end in marks.get(row["buffer_id"], ()))
    }


async def restored(
    store: Store,
    sessions: Sequence[SessionRow],
    indexed: Mapping[str, Indexed],
    marks: Mapping[str, Sequence[Interval]],
) -> dict[str, Indexed]:
    """What is indexed, and before it what is left of the marked stretches.

    A session's summary knows only from when on everything is there.
    """
    found = dict(indexed)
    for buffer_id, of_buffer in marks.items():
        of = [row for row in sessions if row["buffer_id"] == buffer_id and row["clock_ns"]]
        older: list[SegmentRow] = []
        for each in of_buffer:
            if any(_lacks(session, indexed, each) for session in of):
                older += await _rows(store, buffer_id, *each)
        for session in of:
            runs = indexed.get(session["_id"], Indexed()).runs
            until = runs[0].start_ticks if runs else None
            there = Coverage(
                run_of(row)
                for row in sorted(older, key=lambda row: row["start_ticks"])
                if row["session_id"] == session["_id"]
                and (until is None or row["end_ticks"] <= until)
            )
            if there.runs:
                newest_at = indexed.get(session["_id"], Indexed()).newest_at
                found[session["_id"]] = Indexed((*there.runs, *runs), newest_at)
    return found


def _lacks(session: SessionRow, indexed: Mapping[str, Indexed], marked: Interval) -> bool:
    """Whether a session may have media in a marked stretch that its summary does not show."""
    start, end = marked
    began = clock.wall(clock.of(session), 0)
    if began >= end:
        return False
    runs = indexed.get(session["_id"], Indexed()).runs
    begin = clock.wall(clock.of(session), runs[0].start_ticks) if runs else end
    return max(start, began) + _ALMOST < begin


async def _rows(store: Store, buffer_id: str, start: datetime, end: datetime) -> list[SegmentRow]:
    query = {"buffer_id": buffer_id, "end": {"$gt": start, "$lt": end + _SLACK}}
    rows = await store.rows(Segment).find(query, summary.NO_SAMPLES).to_list(None)
    return [row for row in rows if row["start"] < end and row["state"] != SegmentState.CONDEMNED]
