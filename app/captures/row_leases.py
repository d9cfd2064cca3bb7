"""Who works on a row: a lease in it, renewed while the worker lives.

A row whose lease has an end has something left to do; from that instant on any worker may take it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pymongo.errors import PyMongoError

from app.models import RowOf, Stored
from app.store import Store

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0

_Outcome = TypeVar("_Outcome")


class Lost(Exception):
    """The work was cancelled, or another worker has taken it: nothing may be done any more."""


def until(seconds: float = LEASE_SECONDS) -> datetime:
    """When a lease that begins now ends."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


@dataclass(frozen=True)
class LeasedRows(Generic[RowOf]):
    """Rows that are worked on, and the fields that tell by whom, until when, how many times."""

    model: type[Stored[RowOf]]
    lease: str
    lease_until: str
    attempts: str

    async def take(self, store: Store, row_id: str, **where: object) -> tuple[RowOf, str] | None:
        """The row and the lease that it now has.

        None if it is done, gone, or somebody else's, or does not match `where`.
        """
        row = await store.rows(self.model).find_one({"_id": row_id} | where)
        if row is None or row[self.lease_until] is None:
            return None
        if row[self.lease] is not None and row[self.lease_until] >= datetime.now(UTC):
            return None
        token, attempts = secrets.token_hex(8), row[self.attempts] + 1
        fields = {self.lease: token, self.lease_until: until(), self.attempts: attempts}
        taken = await store.take(self.model, row, fields, **where)
        return None if taken is None else (taken, token)


class RowLease(Generic[RowOf]):
    """A row that was taken. Every change of it goes through here, and only while it is ours."""

    def __init__(self, store: Store, rows: LeasedRows[RowOf], row_id: str, token: str) -> None:
        self.row_id = row_id
        self.lost = asyncio.Event()
        self._fields = rows
        self._rows = store.rows(rows.model)
        self._mine = {"_id": row_id, rows.lease: token}

    async def change(self, fields: Mapping[str, object], **where: object) -> None:
        """Sets fields of the row if it is ours and matches `where`. Raises Lost if not."""
        changed = await self._rows.update_one(self._mine | where, {"$set": fields})
        if not changed.matched_count:
            raise self.lose()

    async def keep(self) -> None:
        """Renews it. Raises Lost."""
        await self.change({self._fields.lease_until: until()})

    async def hold(self, work: Coroutine[Any, Any, _Outcome]) -> _Outcome:
        """The outcome of `work`, which is cancelled when the lease is lost. Raises Lost then."""
        task, loss = asyncio.create_task(work), asyncio.create_task(self.lost.wait())
        try:
            await asyncio.wait({task, loss}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Lost(self.row_id)
            return task.result()
        finally:
            task.cancel()
            loss.cancel()
            await asyncio.gather(task, loss, return_exceptions=True)

    async def hand_back(self, in_seconds: float, *, attempted: bool = True) -> None:
        """Leaves the rest to another worker, from `in_seconds` on."""
        free = {self._fields.lease: None, self._fields.lease_until: until(in_seconds)}
        taken_back = {self._fields.attempts: 0 if attempted else -1}
        await self._rows.update_one(self._mine, {"$set": free, "$inc": taken_back})

    async def end(self, fields: Mapping[str, object] | None = None, **where: object) -> None:
        """Says, with the last fields of the row, that nothing is left to do. As `change`."""
        over = {self._fields.lease: None, self._fields.lease_until: None}
        await self.change({**(fields or {}), **over}, **where)

    def lose(self) -> Lost:
        """Notes that it is lost; gives the error that says so."""
        self.lost.set()
        return Lost(self.row_id)

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Renews it until the block ends."""
        beat = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            # While the database is away nobody else can take the lease either.
            with suppress(Lost, PyMongoError):
                await self.keep()
