"""The database: one client, and the collections of the models.

ODMantic is the schema: it says what a row holds and which indexes there are. PyMongo's own
asynchronous client does the rest, because ODMantic's engine knows no client but Motor.

The embedded SecantusDB (0.7.0b3) answers as MongoDB does, but walks all rows where MongoDB takes
an index. So the whole service asks as follows:

- a date has two bounds, the epoch or the year 9999 if need be: `before`, `after`, `dated`;
- an index serves equalities, all of them its first fields, and one range after them; else the first
  condition with an index is looked for alone: what tells most stands first, or `Store.matching`;
- a row is read and changed if it is still the same, not found and changed in one: `Store.take`;
- what `distinct` would give, where it is asked often, is chosen out of the rows that match;
- an index with several fields ascends: of one that descends it loses rows right on the lower bound;
- rows of several collections are joined by a field that an index begins with, by no expression;
- the bytes of all segments are added up on the disk, four times as fast as from 100,000 rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from odmantic import Model
from odmantic.index import ODMBaseIndex
from pymongo import AsyncMongoClient, InsertOne, ReadPreference, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import ClientBulkWriteException, DuplicateKeyError, InvalidOperation
from pymongo.uri_parser import parse_uri

from app import cancellation
from app.migrations import version
from app.models import Row, RowOf, Stored, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page
from app.models.schema import MODELS, EgressSession

Element = TypeVar("Element")

cancellation.replace_wait_for()  # PyMongo waits by it

_DUPLICATE_KEY = 11000


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


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one row, which `Store.write` makes together with others.

    `which` None: `content` is inserted. Otherwise it is the update of the row that matches. With
    `or_new` a row is made of both where none matches; it fails if another row has this id.
    """

    model: type[Model]
    content: Row
    which: Row | None = None
    or_new: bool = False


def insertion(row: Model) -> Change:
    """The change that inserts a row."""
    return Change(type(row), row.model_dump_doc())


class KeyTaken(Exception):
    """A unique key is taken. `place`: of the change among those that were to be made.

    Those before it are made, it and those after it are not.
    """

    def __init__(self, place: int) -> None:
        super().__init__(f"a unique key of change {place} is taken")
        self.place = place


class Store:
    """An open database. Build it inside the running event loop; `close()` it in the same loop."""

    def __init__(self, mongo_url: str) -> None:
        # A date after the year 9999, or text that is no UTF-8, becomes the nearest that Python can
        # hold: it would fail whatever reads its row, among all others.
        self.client: AsyncMongoClient[Row] = AsyncMongoClient(
            mongo_url,
            tz_aware=True,
            datetime_conversion="DATETIME_CLAMP",
            unicode_decode_error_handler="replace",
            serverSelectionTimeoutMS=5000,
        )
        # Here alone, whatever the URL says: who has just written reads what was written.
        self.database = self.client.get_database(
            parse_uri(mongo_url)["database"] or "replay", read_preference=ReadPreference.PRIMARY
        )
        self._writes_together = True

    async def prepare(self, media_root: Path) -> None:
        """Upgrades the rows, and makes every index that is not there yet.

        Safe to run by several processes at once. Raises ConfigurationError: see `upgrade`.
        """
        await self.upgrade(media_root)
        for model in MODELS:
            indexes = [
                index.get_pymongo_index() if isinstance(index, ODMBaseIndex) else index
                for index in model.__indexes__()
            ]
            if indexes:
                await self.database[+model].create_indexes(indexes)

    async def known_instance(self) -> str | None:
        """The id of the installation whose database this is; None if it is nobody's yet."""
        return await version.known_instance(self.database)

    async def newest_session(self) -> str | None:
        """The id of the session that began last: it has that of its installation in it."""
        found = self.rows(EgressSession).find({}, {"_id": 1}).sort("created_at", -1).limit(1)
        return next((row["_id"] for row in await found.to_list(None)), None)

    async def note_instance(self, instance: str) -> None:
        """Notes whose database this is, if nobody's yet; not before `prepare`."""
        await version.note_instance(self.database, instance)

    async def upgrade(self, media_root: Path) -> None:
        """Makes the rows, and the files that they tell of, those of this release.

        Waits while another process does. Raises ConfigurationError if a later one wrote here.
        """
        await version.upgrade(self.database, media_root)

    def rows(self, model: type[Stored[RowOf]]) -> AsyncCollection[RowOf]:
        """The collection of a model, typed as its rows are."""
        collection: AsyncCollection[Any] = self.database[model.__collection__]
        return collection

    async def summed(self, model: type[Model], pipeline: Sequence[Row]) -> list[Row]:
        """What an aggregation over a model's rows gives: documents of another kind."""
        return await (await self.database[+model].aggregate(pipeline)).to_list()

    async def matching(
        self, model: type[Stored[RowOf]], served: Row, which: Row, *more: Row
    ) -> list[RowOf]:
        """Rows that match what an index serves, and `which`; `more` stages go on from there."""
        found = await self.rows(model).aggregate([{"$match": served}, {"$match": which}, *more])
        return await found.to_list()

    async def probe(self) -> None:
        """Returns when the database takes a write. Raises PyMongoError if not."""
        now = {"$set": {"at": datetime.now(UTC)}}
        await self.database[version.PROBES].update_one({"_id": "probe"}, now, upsert=True)

    async def create(self, row: Model) -> bool:
        """Inserts the row. False if its id, or another unique key, is taken; nothing changed."""
        try:
            await self.database[+type(row)].insert_one(row.model_dump_doc())
        except DuplicateKeyError:
            return False
        return True

    async def write(self, *changes: Change) -> list[bool]:
        """Makes changes of rows, in their order; whether each has found its row, or made it.

        One command, whatever collections they are of; one for each before MongoDB 8. Whoever is
        killed may leave the first ones made. Raises KeyTaken.
        """
        if len(changes) > 1 and self._writes_together:
            try:
                return await self._write_together(changes)
            except InvalidOperation:  # nothing was sent: see PyMongo's bulk_write
                self._writes_together = False
        return [await self._write(place, change) for place, change in enumerate(changes)]

    async def _write_together(self, changes: Sequence[Change]) -> list[bool]:
        operations: list[InsertOne[Row] | UpdateOne] = []
        for each in changes:
            namespace = f"{self.database.name}.{+each.model}"
            if each.which is None:
                operations.append(InsertOne(each.content, namespace=namespace))
            else:
                operations.append(
                    UpdateOne(each.which, each.content, upsert=each.or_new, namespace=namespace)
                )
        try:
            made = await self.client.bulk_write(operations, verbose_results=True)
        except ClientBulkWriteException as error:
            wrong: Sequence[Any] = error.write_errors or ()
            if wrong and wrong[0]["code"] == _DUPLICATE_KEY:
                raise KeyTaken(wrong[0]["idx"]) from error
            if isinstance(error.error, Exception):  # what any other command would have raised
                raise error.error from error
            raise
        updated = made.update_results
        return [
            place not in updated or updated[place].matched_count + updated[place].did_upsert > 0
            for place in range(len(changes))
        ]

    async def _write(self, place: int, change: Change) -> bool:
        rows = self.database[+change.model]
        try:
            if change.which is None:
                await rows.insert_one(change.content)
                return True
            made = await rows.update_one(change.which, change.content, upsert=change.or_new)
        except DuplicateKeyError as error:
            raise KeyTaken(place) from error
        return made.matched_count + made.did_upsert > 0

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
