"""Indexes that no question takes any more go: each costs whatever is written."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure


async def drop(database: AsyncDatabase[dict[str, Any]], collection: str, name: str) -> None:
    """Drops an index if it is there."""
    rows = database[collection]
    if name in await rows.index_information():
        with suppress(OperationFailure):  # somebody else has dropped it just now
            await rows.drop_index(name)
