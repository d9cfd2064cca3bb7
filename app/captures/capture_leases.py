"""Who works on a capture: a lease in its row, renewed while the worker lives.

A row with a `lease_until` has something left to do; from that instant on, whoever takes it may.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from app.captures import lifecycle
from app.models import CaptureStatus, Row
from app.models.schema import Capture
from app.store import Store

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0
ACCEPTANCE = "accepting"
"""The lease of whoever accepts a capture."""
CANCELLATION = "cancelled"
"""The lease of a cancelled capture, which is nobody's: whoever worked on it has lost it."""

log = structlog.get_logger()


class Lost(Exception):
    """The capture was cancelled, or another worker has taken it: nothing may be done any more."""


def until(seconds: float = LEASE_SECONDS) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def take(store: Store, capture_id: str) -> Row | None:
    """The row, now leased to the caller; None if it is done, gone, or somebody else's."""
    row: Row | None = await store.rows(Capture).find_one({"_id": capture_id})
    if row is None or row["lease_until"] is None:
        return None
    if row["lease"] is not None and row["lease_until"] >= datetime.now(UTC):
        return None
    taken: Row = {
        "lease": secrets.token_hex(8),
        "lease_until": until(),
        "attempts": row["attempts"] + 1,
    }
    return await store.take(Capture, row, taken)


class Lease:
    """A taken capture. Every change of its row goes through here, and only while it is ours."""

    def __init__(self, store: Store, capture_id: str, token: str) -> None:
        self.capture_id = capture_id
        self.lost = asyncio.Event()
        self._store = store
        self._token = token
        self._mine = {"_id": capture_id, "lease": token}

    async def change(self, fields: Mapping[str, Any], **where: Any) -> None:
        """Sets fields of the row if it is ours and matches `where`. Raises Lost if not."""
        changed = await self._store.rows(Capture).update_one(self._mine | where, {"$set": fields})
        if not changed.matched_count:
            raise self._is_lost()

    async def move(self, to: CaptureStatus, fields: Mapping[str, Any]) -> Row:
        """Brings the capture into another state if it is ours; what was set. Raises Lost if not."""
        moved = await lifecycle.move(self._store, self.capture_id, to, fields, lease=self._token)
        if moved is None:
            raise self._is_lost()
        return moved

    async def hand_back(self, in_seconds: float, *, attempted: bool) -> None:
        """Leaves the rest to another worker, from `in_seconds` on."""
        await self._store.rows(Capture).update_one(
            self._mine,
            {
                "$set": {"lease": None, "lease_until": until(in_seconds)},
                "$inc": {"attempts": 0 if attempted else -1},
            },
        )

    async def end(self) -> None:
        """Says that nothing is left to do. Raises Lost."""
        await self.change({"lease": None, "lease_until": None})

    def _is_lost(self) -> Lost:
        self.lost.set()
        return Lost(self.capture_id)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            # While the database is away nobody else can take the lease either.
            with suppress(Lost, PyMongoError):
                await self.change({"lease_until": until()})


@asynccontextmanager
async def held(store: Store, row: Row) -> AsyncIterator[Lease]:
    """The lease of a row that was taken, renewed until the block ends."""
    lease = Lease(store, row["_id"], row["lease"])
    beat = asyncio.create_task(lease._beat())
    try:
        yield lease
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)
