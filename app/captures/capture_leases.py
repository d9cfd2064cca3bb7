"""Who works on a capture: a lease in its row, renewed while the worker lives.

A row with a `lease_until` has something left to do; from that instant on, whoever takes it may.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, TypeVar

import structlog
from pymongo.errors import PyMongoError

from app.captures import lifecycle
from app.models import CaptureRow, CaptureStatus
from app.models.schema import Capture
from app.store import Store

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0
ACCEPTANCE: str = CaptureStatus.ACCEPTING
"""The lease of whoever accepts a capture."""
CANCELLATION: str = CaptureStatus.CANCELLED
"""The lease of a cancelled capture, which is nobody's: whoever worked on it has lost it."""

_Outcome = TypeVar("_Outcome")
log = structlog.get_logger()


class Lost(Exception):
    """The capture was cancelled, or another worker has taken it: nothing may be done any more."""


class LeaseFields(TypedDict):
    """The fields of a capture's row that say who has it, and until when."""

    lease: str | None
    lease_until: datetime | None


def until(seconds: float = LEASE_SECONDS) -> datetime:
    """When a lease that begins now ends."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def free(in_seconds: float = LEASE_SECONDS) -> LeaseFields:
    """Of a capture that nobody has: not taken within `in_seconds`, it is asked for again."""
    return {"lease": None, "lease_until": until(in_seconds)}


async def take(store: Store, capture_id: str) -> tuple[CaptureRow, str] | None:
    """The row and the lease that it now has; None if it is done, gone, or somebody else's."""
    row = await store.rows(Capture).find_one({"_id": capture_id})
    if row is None or row["lease_until"] is None:
        return None
    if row["lease"] is not None and row["lease_until"] >= datetime.now(UTC):
        return None
    token, attempts = secrets.token_hex(8), row["attempts"] + 1
    fields = {"lease": token, "lease_until": until(), "attempts": attempts}
    taken = await store.take(Capture, row, fields)
    return None if taken is None else (taken, token)


async def unless_lost(
    work: Coroutine[Any, Any, _Outcome], lost: asyncio.Event, holder: str
) -> _Outcome:
    """The outcome of `work`, which is cancelled when a lease is lost. Raises Lost then.

    `holder`: the id in whose row the lease stands.
    """
    task, loss = asyncio.create_task(work), asyncio.create_task(lost.wait())
    try:
        await asyncio.wait({task, loss}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Lost(holder)
        return task.result()
    finally:
        task.cancel()
        loss.cancel()
        await asyncio.gather(task, loss, return_exceptions=True)


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

    async def move(self, to: CaptureStatus, fields: Mapping[str, Any]) -> CaptureStatus:
        """Brings the capture into another state if it is ours. Raises Lost if not."""
        moved = await lifecycle.move(self._store, self.capture_id, to, fields, lease=self._token)
        if moved is None:
            raise self._is_lost()
        return moved

    async def hold(self, work: Coroutine[Any, Any, _Outcome]) -> _Outcome:
        """The outcome of `work`, which is cancelled when the lease is lost. Raises Lost then."""
        return await unless_lost(work, self.lost, self.capture_id)

    async def hand_back(self, in_seconds: float, *, attempted: bool) -> None:
        """Leaves the rest to another worker, from `in_seconds` on."""
        await self._store.rows(Capture).update_one(
            self._mine,
            {"$set": free(in_seconds), "$inc": {"attempts": 0 if attempted else -1}},
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
async def held(store: Store, capture_id: str, token: str) -> AsyncIterator[Lease]:
    """A lease that was taken, renewed until the block ends."""
    lease = Lease(store, capture_id, token)
    beat = asyncio.create_task(lease._beat())
    try:
        yield lease
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)
