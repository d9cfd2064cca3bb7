"""What the clips of all take together, as each reservation has to know it.

The rows of all users are added up once in FRESH_SECONDS; in between each process adds what it
changes itself. So all processes together may go beyond CLIPS_BYTES by what they reserve in
FRESH_SECONDS. Nobody is refused by a sum that was begun more than AGAIN_SECONDS before they asked.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextvars import Context
from dataclasses import dataclass

from app.lru_cache import LruCache
from app.models import Row
from app.models.schema import UserReplayQuota
from app.store import Store

FRESH_SECONDS = 5.0
AGAIN_SECONDS = 1.0
_SERVES_SECONDS = 2.0
"""For so long beyond FRESH_SECONDS a sum serves those whose clips fit, while it is read again."""


@dataclass
class _Sum:
    """`begun_at`: when the rows began to be read that it is of, by the monotonic clock.

    `running`: a read that goes on; `grown_bytes`: by how much clips have grown here since it began.
    """

    held_bytes: int = 0
    begun_at: float = -math.inf
    running: asyncio.Task[None] | None = None
    grown_bytes: int = 0


_sums: LruCache[_Sum] = LruCache(100)
"""By database."""


async def read(store: Store) -> int:
    """What the clips of all users take, and captures that are being made hold: in bytes."""
    pipeline: list[Row] = [{"$group": {"_id": None, "bytes": {"$sum": "$held_bytes"}}}]
    sums = await store.summed(UserReplayQuota, pipeline)
    return int(sums[0]["bytes"]) if sums else 0


async def has_room(
    store: Store, size_bytes: int, most_bytes: int, *, again_seconds: float = AGAIN_SECONDS
) -> bool:
    """Whether so many bytes more fit into what all may take. Raises PyMongoError."""
    known = _sums.get(store.database.name)
    if known is None:
        known = _Sum()
        _sums.put(store.database.name, known)
    now = time.monotonic()
    old = now - FRESH_SECONDS if known.running is None else now - FRESH_SECONDS - _SERVES_SECONDS
    if known.begun_at < old:
        await _again(store, known)
    # The read that went on may have begun too early; one more does not.
    while known.held_bytes + size_bytes > most_bytes and known.begun_at < now - again_seconds:
        await _again(store, known)
    return known.held_bytes + size_bytes <= most_bytes


def note(store: Store, grown_bytes: int) -> None:
    """This process has changed what somebody's clips take by so many bytes."""
    if (known := _sums.get(store.database.name)) is not None:
        known.held_bytes += grown_bytes
        # The read that goes on may have seen it or not. What has grown is added in either case,
        # what has shrunk in none: rather too large a sum, by which nobody is refused for long.
        known.grown_bytes += max(0, grown_bytes)


async def _again(store: Store, known: _Sum) -> None:
    """Waits for the read that goes on, or for one that begins now."""
    if known.running is None:
        # Of no request, though one of them began it: whoever gives up leaves it to the others.
        known.running = asyncio.create_task(_refresh(store, known), context=Context())
    await asyncio.shield(known.running)


async def _refresh(store: Store, known: _Sum) -> None:
    begun_at, known.grown_bytes = time.monotonic(), 0
    try:
        held_bytes = await read(store)
    finally:
        known.running = None
    known.held_bytes, known.begun_at = held_bytes + known.grown_bytes, begun_at
