"""Who makes the copy of a clip: a lease in the clip's row, renewed while the worker lives.

A row with a `clean_until` waits for its copy; from that instant on, whoever takes it may.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pymongo.errors import PyMongoError

from app.captures.capture_leases import HEARTBEAT_SECONDS, LEASE_SECONDS, Lost, unless_lost
from app.models import ClipRow
from app.models.schema import ReplayClip
from app.store import Store

_Outcome = TypeVar("_Outcome")


async def take(store: Store, clip_id: str) -> tuple[ClipRow, CopyLease] | None:
    """The row and its lease; None if the copy is there, the clip goes, or somebody else has it."""
    row = await store.rows(ReplayClip).find_one({"_id": clip_id})
    if row is None or not row["ready"] or (until := row["clean_until"]) is None:
        return None
    if row["clean_lease"] is not None and until >= datetime.now(UTC):
        return None
    token, attempts = secrets.token_hex(8), row["clean_attempts"] + 1
    fields = {"clean_lease": token, "clean_until": _until(), "clean_attempts": attempts}
    taken = await store.take(ReplayClip, row, fields, ready=True)
    return None if taken is None else (taken, CopyLease(store, clip_id, token))


class CopyLease:
    """A copy that is ours to make. Whatever the row is told goes through here."""

    def __init__(self, store: Store, clip_id: str, token: str) -> None:
        self.lost = asyncio.Event()
        self._store = store
        self._mine = {"_id": clip_id, "clean_lease": token}

    async def done(self, size_bytes: int, checksum: str) -> None:
        """The copy is there, under its name. Raises Lost, also if the clip is about to go."""
        fields = {"clean_bytes": size_bytes, "clean_checksum": checksum}
        await self._change(fields | {"clean_lease": None, "clean_until": None}, ready=True)

    async def hand_back(self, in_seconds: float) -> None:
        """Leaves it to another worker, from then on."""
        fields = {"clean_lease": None, "clean_until": _until(in_seconds)}
        await self._store.rows(ReplayClip).update_one(self._mine, {"$set": fields})

    async def keep(self) -> None:
        """Renews it. Raises Lost."""
        await self._change({"clean_until": _until()})

    async def hold(self, work: Coroutine[Any, Any, _Outcome]) -> _Outcome:
        """The outcome of `work`, which is cancelled when the lease is lost. Raises Lost then."""
        return await unless_lost(work, self.lost, self._mine["_id"])

    async def _change(self, fields: Mapping[str, object], **where: object) -> None:
        clips = self._store.rows(ReplayClip)
        changed = await clips.update_one(self._mine | where, {"$set": fields})
        if not changed.matched_count:
            self.lost.set()
            raise Lost(self._mine["_id"])

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            # While the database is away nobody else can take the lease either.
            with suppress(Lost, PyMongoError):
                await self.keep()


@asynccontextmanager
async def renewed(lease: CopyLease) -> AsyncIterator[None]:
    """Renews a lease until the block ends."""
    beat = asyncio.create_task(lease._beat())
    try:
        yield
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)


def _until(seconds: float = LEASE_SECONDS) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
