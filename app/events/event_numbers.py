"""The numbers of a room's events, which go on when those events have expired."""

from __future__ import annotations

from datetime import UTC, datetime

from app.models.schema import EventNumber
from app.store import Store


async def keep(store: Store, room: str, number: int) -> None:
    """Remembers that a room has had an event of this number, before that may expire."""
    change = {"$max": {"number": number}, "$set": {"told_at": datetime.now(UTC)}}
    await store.rows(EventNumber).update_one({"_id": room}, change, upsert=True)


async def highest(store: Store, room: str) -> int:
    """The highest number that is remembered of a room; 0 if none is."""
    row = await store.rows(EventNumber).find_one({"_id": room})
    return row["number"] if row else 0
