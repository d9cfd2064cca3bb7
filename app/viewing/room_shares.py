"""The shares of one room as somebody sees them: all timelines, on one wall clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.errors import NotFound
from app.models import BufferRow, BufferState, Row
from app.models.schema import Buffer, EgressSession
from app.settings import Settings
from app.store import Store
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline

AT_MOST = 50
"""Shares of one room that are read together."""
FIRST_OF_ONE = 8
"""Of one sharer, before others' turn: who publishes many screens hides nobody else's."""


@dataclass(frozen=True)
class RoomShares:
    """The timelines of a room's shares, newest share first.

    Those that have ended and hold nothing are left out. `complete`: there are no more than these.
    """

    room_sid: str
    lines: tuple[Timeline, ...]
    complete: bool


async def read(
    store: Store, settings: Settings, which: Row, room: str, room_sid: str | None, now: datetime
) -> RoomShares | None:
    """The shares of a room that `which` (on rows of Buffer) matches; None if there are none.

    A name may come again, for another room: without `room_sid` it is the one of the newest share.
    Where there are more than AT_MOST, FIRST_OF_ONE of each sharer come before the rest: of both
    those first that were recorded, then those that go on, then the newest. It costs three reads,
    and those of the timelines.
    """
    known: Row = {} if room_sid is None else {"room_sid": room_sid}
    newest_first: Row = {"$sort": {"since": -1}}
    sid_only: list[Row] = [{"$limit": 1}, {"$project": {"room_sid": 1}}]
    newest = await store.matching(
        Buffer, {"room": room}, {"$and": [which, known]}, newest_first, *sid_only
    )
    if not newest:
        return None
    sid = newest[0]["room_sid"]
    fields: Row = {"$project": {"identity": 1, "since": 1, "ended_at": 1}}
    here: Row = {"$and": [which, {"room": room}]}
    rows = await store.matching(Buffer, {"room_sid": sid}, here, newest_first, fields)
    if len(rows) > AT_MOST:
        rows = _in_order(rows, await _recorded(store, sid))
    ids = [row["_id"] for row in rows]
    lines = await stored_timelines.listing(
        store, {"_id": {"$in": ids[:AT_MOST]}}, now, settings, limit=AT_MOST
    )
    held = tuple(line for line in lines if line.state != BufferState.ENDED or line.spans)
    return RoomShares(sid, held, len(ids) <= AT_MOST)


async def _recorded(store: Store, room_sid: str) -> set[str]:
    """The ids of those shares of a room that have been recorded, of what is still known."""
    sessions = store.rows(EgressSession).find({"room_sid": room_sid}, {"buffer_id": 1})
    return {row["buffer_id"] async for row in sessions}


def _in_order(rows: Sequence[BufferRow], recorded: Collection[str]) -> list[BufferRow]:
    """Shares, newest first, in the order in which they are told of where not all are."""
    better = sorted(rows, key=lambda row: (row["_id"] not in recorded, row["ended_at"] is not None))
    of_each: Counter[str] = Counter()
    first: list[BufferRow] = []
    rest: list[BufferRow] = []
    for row in better:
        of_each[row["identity"]] += 1
        (first if of_each[row["identity"]] <= FIRST_OF_ONE else rest).append(row)
    return first + rest


def none_seen(room: str) -> NotFound:
    """What whoever sees no share of a room is told."""
    return NotFound(f"there is no share in the room {room!r}, or none that is yours to see")
