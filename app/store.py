"""The database: one client, and the collections of the models.

ODMantic is the schema: it says what a row holds and which indexes there are. PyMongo's own
asynchronous client does the rest, because ODMantic's engine knows no client but Motor.

The embedded SecantusDB (0.7.0b3) answers as MongoDB does, but walks all rows where MongoDB takes
an index. So the whole service asks as follows:

- a date has two bounds, the epoch or the year 9999 if need be: `before`, `after`, `dated`;
- a row is read and changed if it is still the same, not found and changed in one: `Store.take`;
- what `distinct` would give, where it is asked often, is chosen out of the rows that match;
- an index with several fields ascends: of one that descends it loses rows right on the lower bound;
- the bytes of all segments are added up on the disk, four times as fast as from 100,000 rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from odmantic import Model
from odmantic.index import ODMBaseIndex
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import DuplicateKeyError
from pymongo.uri_parser import parse_uri

from app import cancellation
from app.migrations import version
from app.models import Row, RowOf, Stored, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page
from app.models.schema import MODELS

Element = TypeVar("Element")

cancellation.replace_wait_for()  # PyMongo waits by it


def before(instant: datetime) -> Row:
    """A condition on a date that is there: it lies before `instant`."""
    return {"$gt": EPOCH, "$lt": instant}


def after(instant: datetime) -> Row:
    """A condition on a date: it lies after `instant`."""
    return {"$gt": instant, "$lt": FAR}


def since(instant: datetime) -> Row:
    """A condition on a date: it is there, and does not lie before `instant`."""
    return {"$gte": instant, "$lt": FAR}


def dated() -> Row:
    """A condition on a date: it is there."""
    return {"$gt": EPOCH}


async def first(cursor: AsyncCursor[RowOf], count: int) -> list[RowOf]:
    """The first `count` rows of a cursor; of none or fewer none, where the driver raises."""
    return await cursor.to_list(count) if count > 0 else []


async def batches(rows: AsyncIterable[RowOf], size: int) -> AsyncIterator[list[RowOf]]:
    """The rows of a cursor, `size` at a time; fewer the last time, never none."""
    batch: list[RowOf] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def chunks(items: Sequence[Element], size: int) -> Iterator[Sequence[Element]]:
    """The items, `size` at a time; fewer the last time, never none."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def row_of(made: Stored[RowOf]) -> RowOf:
    """The row that a model makes."""
    assert isinstance(made, Model)
    return cast(RowOf, made.model_dump_doc())


class Store:
    """An open database. Build it inside the running event loop; `close()` it in the same loop."""

    def __init__(self, mongo_url: str) -> None:
        # What Python can't hold, a date after the year 9999 or text that is no UTF-8, becomes the
        # nearest that it can: by itself it would fail whatever reads its row, among all others.
        self.client: AsyncMongoClient[Row] = AsyncMongoClient(
            mongo_url,
            tz_aware=True,
            datetime_conversion="DATETIME_CLAMP",
            unicode_decode_error_handler="replace",
            serverSelectionTimeoutMS=5000,
        )
        self.database = self.client[parse_uri(mongo_url)["database"] or "replay"]

    async def prepare(self, media_root: Path) -> None:
        """Upgrades the rows, and makes every index that is not there yet.

        Safe to run by several processes at once. Raises ConfigurationError: see `upgrade`.
        """
        await self.upgrade(media_root)
        for model in MODELS:
            if indexes := _indexes(model):
                await self.database[+model].create_indexes(indexes)

    async def upgrade(self, media_root: Path) -> None:
        """Makes the rows, and the files that they tell of, those of this release.

        Waits while another process does.
        Raises ConfigurationError if a later release has written here.
        """
        await version.upgrade(self.database, media_root)

    def rows(self, model: type[Stored[RowOf]]) -> AsyncCollection[RowOf]:
        """The collection of a model, typed as its rows are."""
        collection: AsyncCollection[Any] = self.database[model.__collection__]
        return collection

    async def summed(self, model: type[Model], pipeline: Sequence[Row]) -> list[Row]:
        """What an aggregation over a model's rows gives: documents of another kind."""
        return await (await self.database[+model].aggregate(pipeline)).to_list()

    async def ping(self) -> None:
        """Returns when the database answers; raises pymongo.errors.PyMongoError if not."""
        await self.client.admin.command("ping")

    async def create(self, row: Model) -> bool:
        """Inserts the row. False if its id, or another unique key, is taken; nothing changed."""
        try:
            await self.database[+type(row)].insert_one(row.model_dump_doc())
        except DuplicateKeyError:
            return False
        return True

    async def take(
        self, model: type[Stored[RowOf]], row: RowOf, fields: Mapping[str, object], **where: object
    ) -> RowOf | None:
        """The row with these fields, set if what they say is still as it was read.

        None if somebody was faster, or if the row does not match `where`.
        """
        read = cast(Row, row)
        same = {"_id": read["_id"]} | {name: read[name] for name in fields} | where
        changed = await self.rows(model).update_one(same, {"$set": fields})
        return cast(RowOf, read | dict(fields)) if changed.matched_count else None

    async def page(
        self,
        model: type[Stored[RowOf]],
        order: Order,
        which: Row,
        *,
        limit: int,
        after: str | None = None,
        since: datetime = EPOCH,
        until: datetime = FAR,
        fields: Row | None = None,
    ) -> Page[RowOf]:
        """Rows that match, of [since, until) by the order's instant. At most two reads.

        `after`: where the page before ended. `fields`, if given, has those of the order. Raises
        Invalid if `after` is not what a page gave.
        """
        rows, found = self.rows(model), list[RowOf]()
        begin = None if after is None else keyset.read(after)
        # Two ranges, not one condition with an `or`: each is served by the order's index.
        if begin is not None:
            same = rows.find(which | order.beside(begin), fields).sort(order.sorting)
            found = await first(same, limit + 1)
        if len(found) <= limit:
            more = rows.find(which | order.beyond(begin, since, until), fields).sort(order.sorting)
            found += await first(more, limit + 1 - len(found))
        return keyset.cut(found, limit, lambda row: keyset.written(order.position(row)))

    async def close(self) -> None:
        await self.client.close()


def _indexes(model: type[Model]) -> list[IndexModel]:
    """The indexes that a model declares, as the driver wants them."""
    return [
        index.get_pymongo_index() if isinstance(index, ODMBaseIndex) else index
        for index in model.__indexes__()
    ]
