"""Segments' rows into the database, many in one write.

The first row goes at once. Those that become ready while a write is on its way, or just after it
began, go into the next one together. The unique index on (session, sequence) makes a second insert
of the same segment harmless. Each row is encoded by itself, and its insertion succeeds or fails by
itself: one session's row is not another's matter.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern
from pymongo.common import MAX_BSON_SIZE
from pymongo.errors import BulkWriteError, PyMongoError

from app.models import SegmentRow
from app.models.schema import Segment
from app.store import Store

_AT_MOST = 200
_PACE_SECONDS = 0.025
"""Between the beginnings of two writes: each costs the database a sync, whatever its rows."""
_DUPLICATE_KEY = 11_000


class Unwritable(ValueError):
    """A row that no database holds: a number of more than 64 bits, half a character, too large."""


def encoded(row: SegmentRow) -> RawBSONDocument:
    """A row as it is stored. Raises Unwritable."""
    try:
        data = bson.encode(row)
    except (BSONError, OverflowError, UnicodeError) as error:
        raise Unwritable(f"row {row['_id']!r:.100}: {error!s:.300}") from error
    if len(data) > MAX_BSON_SIZE:
        raise Unwritable(f"row {row['_id']} has {len(data)} bytes; at most {MAX_BSON_SIZE} fit")
    return RawBSONDocument(data)


@dataclass(frozen=True, slots=True)
class _Waiting:
    row: SegmentRow
    data: RawBSONDocument
    done: asyncio.Future[SegmentRow]

    def end(self, outcome: SegmentRow | PyMongoError) -> None:
        """Tells who waits for it, if somebody still does."""
        if self.done.done():
            return
        if isinstance(outcome, PyMongoError):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


class RowWriter:
    """Inserts rows of Segment. `run()` must be running for `insert()` to end."""

    def __init__(self, store: Store) -> None:
        # The `.ts` goes once its row is acknowledged: that must survive a power cut, and the
        # fail-over of a replica set, which rolls back what only the old primary has.
        durable = WriteConcern(w="majority", j=True)
        self._rows = store.rows(Segment).with_options(write_concern=durable)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def insert(self, row: SegmentRow) -> SegmentRow:
        """Inserts a row. Returns the one that stands: this, or the one that had its id before.

        Raises Unwritable; PyMongoError if the database did not say that it took the row. It may
        have.
        """
        done: asyncio.Future[SegmentRow] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(row, encoded(row), done))
        return await done

    async def run(self) -> None:
        """Works until it is cancelled."""
        began = -math.inf
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(max(0.0, began + _PACE_SECONDS - time.monotonic()))
            began = time.monotonic()
            while len(batch) < _AT_MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                others = await self._insert_all(batch)
            except PyMongoError as error:
                for each in batch:
                    each.end(error)
                continue
            for each in batch:
                each.end(others.get(each.row["_id"], each.row))

    async def _insert_all(self, batch: list[_Waiting]) -> dict[str, SegmentRow | PyMongoError]:
        """Inserts the rows. Returns, by id, those that were there before, and what was refused."""
        try:
            await self._rows.insert_many([each.data for each in batch], ordered=False)
        except BulkWriteError as error:
            details: dict[str, Any] = dict(error.details or {})
            failed = details.get("writeErrors", [])
            if not failed:
                raise
            others: dict[str, SegmentRow | PyMongoError] = {
                batch[each["index"]].row["_id"]: error for each in failed
            }
            ids = [
                batch[each["index"]].row["_id"] for each in failed if each["code"] == _DUPLICATE_KEY
            ]
            found = await self._rows.find({"_id": {"$in": ids}}).to_list(None)
            return others | {row["_id"]: row for row in found}
        return {}
