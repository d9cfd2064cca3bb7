"""The numbers of a room's events, which go on when those events have expired."""

from __future__ import annotations

from datetime import UTC, datetime

from app.models.schema import EventNumber
from app.store import Change, Store


def kept(room: str, number: int) -> Change:
    """What remembers that a room has had an event of this number: before that may expire."""
    content = {"$max": {"number": number}, "$set": {"told_at": datetime.now(UTC)}}
    return Change(EventNumber, content, {"_id": room}, or_new=True)


async def highest(store: Store, room: str) -> int:
    """The highest number that is remembered of a room; 0 if none is."""
    row = await store.rows(EventNumber).find_one({"_id": room})
    return row["number"] if row else 0
