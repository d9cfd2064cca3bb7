"""Segments' rows into the database, many in one write.

Rows that become ready while a write is on its way go into the next one together. The unique index
on (session, sequence) makes a second insert of the same segment harmless.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, PyMongoError

from app.models import SegmentRow
from app.models.schema import Segment
from app.store import Store

_AT_MOST = 200
_DUPLICATE_KEY = 11_000


class RowWriter:
    """Inserts rows of Segment. `run()` must be running for `insert()` to end."""

    def __init__(self, store: Store) -> None:
        # The `.ts` goes once its row is acknowledged: so that must survive a power cut.
        self._rows = store.rows(Segment).with_options(write_concern=WriteConcern(w=1, j=True))
        self._waiting: asyncio.Queue[tuple[SegmentRow, asyncio.Future[SegmentRow]]] = (
            asyncio.Queue()
        )

    async def insert(self, row: SegmentRow) -> SegmentRow:
        """Inserts a row. Returns the one that stands: this, or the one that had its id before.

        Raises PyMongoError if the database did not say that it took the row. It may have.
        """
        done: asyncio.Future[SegmentRow] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((row, done))
        return await done

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _AT_MOST and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                standing = await self._insert_all([row for row, _ in batch])
            except PyMongoError as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for row, done in batch:
                if not done.done():
                    done.set_result(standing.get(row["_id"], row))

    async def _insert_all(self, rows: list[SegmentRow]) -> dict[str, SegmentRow]:
        """Inserts the rows. Returns, by id, those that were there before."""
        try:
            await self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            details: dict[str, Any] = dict(error.details or {})
            failed = details.get("writeErrors", [])
            if not failed or any(each["code"] != _DUPLICATE_KEY for each in failed):
                raise
            ids = [rows[each["index"]]["_id"] for each in failed]
            found = await self._rows.find({"_id": {"$in": ids}}).to_list(None)
            return {row["_id"]: row for row in found}
        return {}
