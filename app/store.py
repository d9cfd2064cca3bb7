"""The database: one client, the engine over it and the raw collections.

ODMantic creates rows and makes the indexes; state changes and hot reads go to the collections.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from odmantic import AIOEngine, Model
from pymongo.uri_parser import parse_uri

from app.models import MODELS

Row = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(9999, 1, 1, tzinfo=UTC)


def before(instant: datetime) -> Row:
    """A condition on a date that is there: it lies before `instant`.

    A search for dates is bounded from below, too: SecantusDB walks all rows otherwise.
    """
    return {"$gt": EPOCH, "$lt": instant}


def dated() -> Row:
    """A condition on a date: it is there. Bounded from below for the reason that `before` gives."""
    return {"$gt": EPOCH}


class Store:
    """An open database. Build it inside the running event loop; `close()` it in the same loop."""

    def __init__(self, mongo_url: str) -> None:
        self.client: AsyncIOMotorClient[Row] = AsyncIOMotorClient(
            mongo_url, tz_aware=True, serverSelectionTimeoutMS=5000
        )
        database = parse_uri(mongo_url)["database"] or "replay"
        self.engine = AIOEngine(client=self.client, database=database)

    async def prepare(self) -> None:
        """Makes every index that is not there yet. Safe to run by several processes at once."""
        await self.engine.configure_database(list(MODELS))

    def rows(self, model: type[Model]) -> AsyncIOMotorCollection[Row]:
        """The raw collection of a model: for atomic updates and hot reads."""
        return self.engine.get_collection(model)

    async def ping(self) -> None:
        """Returns when the database answers; raises pymongo.errors.PyMongoError if not."""
        await self.client.admin.command("ping")

    async def create(self, row: Model) -> bool:
        """Inserts the row. False if its id, or another unique key, is taken; nothing changed."""
        try:
            await self.rows(type(row)).insert_one(row.model_dump_doc())
        except pymongo.errors.DuplicateKeyError:
            return False
        return True

    def close(self) -> None:
        self.client.close()
