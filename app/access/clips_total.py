"""What the clips of all take together, as each reservation has to know it.

The rows of all users are added up once in FRESH_SECONDS; in between each process adds what it
changes itself. So all processes together may go beyond CLIPS_BYTES by what they reserve in
FRESH_SECONDS. Nobody is refused by a sum that is older than AGAIN_SECONDS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.lru_cache import LruCache
from app.models import Row
from app.models.schema import UserReplayQuota
from app.store import Store

FRESH_SECONDS = 5.0
AGAIN_SECONDS = 1.0


@dataclass
class _Sum:
    held_bytes: int
    read_at: float

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.read_at


_sums: LruCache[_Sum] = LruCache(100)
"""By database."""


async def read(store: Store) -> int:
    """What the clips of all users take, and captures that are being made hold: in bytes."""
    pipeline: list[Row] = [{"$group": {"_id": None, "bytes": {"$sum": "$held_bytes"}}}]
    sums = await store.summed(UserReplayQuota, pipeline)
    return int(sums[0]["bytes"]) if sums else 0


async def has_room(store: Store, size_bytes: int, most_bytes: int) -> bool:
    """Whether so many bytes more fit into what all may take."""
    known = _sums.get(store.database.name)
    fits = known is not None and known.held_bytes + size_bytes <= most_bytes
    if known is None or known.age_seconds >= (FRESH_SECONDS if fits else AGAIN_SECONDS):
        if known is not None:
            known.read_at = time.monotonic()  # it serves the others meanwhile
        known = _Sum(await read(store), time.monotonic())
        _sums.put(store.database.name, known)
    return known.held_bytes + size_bytes <= most_bytes


def note(store: Store, grown_bytes: int) -> None:
    """This process has changed what somebody's clips take by so many bytes."""
    if (known := _sums.get(store.database.name)) is not None:
        known.held_bytes += grown_bytes
