"""Pins: rows that keep stretches of sessions from being deleted.

A pinner writes the pin, then reads the segments. Cleanup condemns segments, then reads the pins
again. It unlinks what no pin covers and spares the rest. So one of the two always sees the other. A
segment that is not condemned when it is read after pinning will not be deleted. The pinner must do
without one that is condemned by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.buffer.retention import Pinned
from app.models import MediaRange
from app.models.schema import Pin
from app.store import Store


async def pin(
    store: Store,
    owner: str,
    ranges: Sequence[MediaRange],
    until: datetime,
    *,
    open_ended: bool = False,
) -> None:
    """Pins each range until `until`, at the latest. Repeated for an owner it adds, never takes.

    `open_ended`: the last range is pinned from its start on, whatever its end.
    """
    for number, range_ in enumerate(ranges):
        unlimited = open_ended and number == len(ranges) - 1
        row = Pin(
            id=f"{owner}:{range_['session_id']}:{range_['start_ticks']}",
            owner=owner,
            session_id=range_["session_id"],
            start_ticks=range_["start_ticks"],
            end_ticks=None if unlimited else range_["end_ticks"],
            until=until,
        )
        stretch = {k: v for k, v in row.model_dump_doc().items() if k not in ("_id", "until")}
        await store.rows(Pin).update_one(
            {"_id": row.id}, {"$set": stretch, "$max": {"until": until}}, upsert=True
        )


async def extend(store: Store, owner: str, until: datetime) -> None:
    """Keeps the pins of an owner longer."""
    await store.rows(Pin).update_many({"owner": owner}, {"$max": {"until": until}})


async def release(store: Store, owner: str) -> None:
    """Deletes every pin of an owner."""
    await store.rows(Pin).delete_many({"owner": owner})


async def pinned(store: Store, session_ids: Iterable[str], now: datetime) -> Pinned:
    """What is pinned of these sessions now."""
    query = {"session_id": {"$in": list(session_ids)}, "until": {"$gt": now}}
    stretches: dict[str, list[tuple[int, int | None]]] = {}
    async for row in store.rows(Pin).find(query):
        stretches.setdefault(row["session_id"], []).append((row["start_ticks"], row["end_ticks"]))
    return stretches
