"""The shares of one room as somebody sees them: all timelines, on one wall clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app import stretches
from app.errors import NotFound
from app.models import BufferRow, Row, conditions
from app.models.schema import Buffer, EgressSession
from app.settings import Settings
from app.store import Store
from app.viewing import buffer_pages, stored_timelines
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
    those first that were recorded, then those that go on, then the newest. Of more than `LOOKED_AT`
    those that were neither recorded nor go on are not looked at.
    """
    here: Row = {"room": room}
    if room_sid is None:
        newest = await _newest(store, which, here)
        if newest is None:
            return None
        room_sid = newest["room_sid"]
    here |= {"room_sid": room_sid}
    page = await buffer_pages.page(store, which, here, limit=stretches.LOOKED_AT)
    rows, complete = page.items, page.next is None and len(page.items) <= AT_MOST
    if not complete:
        recorded = await _recorded(store, room_sid)
        if page.next is not None:
            ways = conditions.alternatives(which, here)
            rows = await _with_others(store, rows, recorded, room_sid, ways)
        rows = _in_order(rows, recorded)
    if not rows:
        return None
    ids = [row["_id"] for row in rows[:AT_MOST]]
    lines = await stored_timelines.listing(
        store, {"_id": {"$in": ids}}, now, settings, limit=AT_MOST
    )
    held = tuple(line for line in lines if line.is_there)
    return RoomShares(room_sid, held, complete)


async def _newest(store: Store, which: Row, wanted: Row) -> BufferRow | None:
    """The newest share that matches; None if there is none."""
    after: str | None = None
    while True:
        page = await buffer_pages.page(store, which, wanted, limit=1, after=after)
        if page.items or page.next is None:
            return page.items[0] if page.items else None
        after = page.next


async def _with_others(
    store: Store,
    newest: Sequence[BufferRow],
    recorded: Collection[str],
    room_sid: str,
    ways: Sequence[Row],
) -> list[BufferRow]:
    """The newest shares of a room with those that were recorded, or go on; newest first."""
    rows = {row["_id"]: row for row in newest}
    older = [each for each in recorded if each not in rows]
    others: list[Row] = [{"_id": {"$in": older}}, {"room_sid": room_sid, "ended_at": None}]
    for which in others:
        async for row in store.rows(Buffer).find(which, buffer_pages.FIELDS):
            if conditions.matches_any(ways, row):
                rows[row["_id"]] = row
    return sorted(rows.values(), key=lambda row: (row["since"], row["_id"]), reverse=True)


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
