"""The shares of one room as somebody sees them: all timelines, on one wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.errors import NotFound
from app.models import BufferState, Row
from app.models.schema import Buffer
from app.settings import Settings
from app.store import Store, dated, first
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline

AT_MOST = 50
"""Shares of one room that are read together."""


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
    Those that go on come first where there are more than AT_MOST, then the newest. It costs three
    reads, and those of the timelines.
    """
    named: Row = {"room": room} | ({} if room_sid is None else {"room_sid": room_sid})
    rows = store.rows(Buffer)
    newest = await first(rows.find({"$and": [which, named]}, {"room_sid": 1}).sort("since", -1), 1)
    if not newest:
        return None
    sid = newest[0]["room_sid"]
    here: Row = {"$and": [which, {"room": room, "room_sid": sid}]}
    ids: list[str] = []
    for ended_at in (None, dated()):
        found = rows.find(here | {"ended_at": ended_at}, {"_id": 1}).sort("since", -1)
        ids += [row["_id"] for row in await first(found, AT_MOST + 1 - len(ids))]
    lines = await stored_timelines.listing(
        store, {"_id": {"$in": ids[:AT_MOST]}}, now, settings, limit=AT_MOST
    )
    held = tuple(line for line in lines if line.state != BufferState.ENDED or line.spans)
    return RoomShares(sid, held, len(ids) <= AT_MOST)


def none_seen(room: str) -> NotFound:
    """What whoever sees no share of a room is told."""
    return NotFound(f"there is no share in the room {room!r}, or none that is yours to see")
