"""Who works on a capture: a lease in its row, renewed while the worker lives.

A row with a `lease_until` has something left to do; from that instant on, whoever takes it may.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from app.models import Row
from app.models.schema import Capture
from app.store import Store

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0

log = structlog.get_logger()


class Lost(Exception):
    """The capture was cancelled, or another worker has taken it: nothing may be done any more."""


def until(seconds: float = LEASE_SECONDS) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def take(store: Store, capture_id: str) -> Row | None:
    """The row, now leased to the caller; None if it is done, gone, or somebody else's.

    Read and then changed if it is still the same: SecantusDB's find_one_and_update walks all rows.
    """
    rows = store.rows(Capture)
    row: Row | None = await rows.find_one({"_id": capture_id})
    if row is None or row["lease_until"] is None:
        return None
    if row["lease"] is not None and row["lease_until"] >= datetime.now(UTC):
        return None
    taken: Row = {
        "lease": secrets.token_hex(8),
        "lease_until": until(),
        "attempts": row["attempts"] + 1,
    }
    same = {"_id": capture_id, "lease": row["lease"], "lease_until": row["lease_until"]}
    changed = await rows.update_one(same, {"$set": taken})
    return row | taken if changed.matched_count else None


class Lease:
    """A taken capture. Every change of its row goes through here, and only while it is ours."""

    def __init__(self, store: Store, row: Row) -> None:
        self.row = row
        self.lost = asyncio.Event()
        self._store = store
        self._mine = {"_id": row["_id"], "lease": row["lease"]}

    async def change(self, fields: dict[str, Any], **where: Any) -> None:
        """Sets fields of the row if it is ours and matches `where`. Raises Lost if not."""
        changed = await self._store.rows(Capture).update_one(self._mine | where, {"$set": fields})
        if not changed.matched_count:
            self.lost.set()
            raise Lost(self.row["_id"])
        self.row = self.row | fields  # nobody else changes a row that is ours

    async def hand_back(self, in_seconds: float, *, attempted: bool) -> None:
        """Leaves the rest to another worker, from `in_seconds` on."""
        await self._store.rows(Capture).update_one(
            self._mine,
            {
                "$set": {"lease": None, "lease_until": until(in_seconds)},
                "$inc": {"attempts": 0 if attempted else -1},
            },
        )

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            # While the database is away nobody else can take the lease either.
            with suppress(Lost, PyMongoError):
                await self.change({"lease_until": until()})


@asynccontextmanager
async def held(store: Store, row: Row) -> AsyncIterator[Lease]:
    """A lease that is renewed until the block ends."""
    lease = Lease(store, row)
    beat = asyncio.create_task(lease._beat())
    try:
        yield lease
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)
