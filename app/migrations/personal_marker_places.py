"""Markers have one of the places that whoever set them has over all buffers."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

_IN_BUFFERS = "buffer_id_1_by_1_own_place_1"


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Gives each person's markers numbers from 0 on, in the order in which they were set.

    Up to now they had numbers in each buffer, and an index that lets no two have none.
    """
    markers = database["markers"]
    if _IN_BUFFERS in await markers.index_information():
        with suppress(OperationFailure):  # somebody else has dropped it just now
            await markers.drop_index(_IN_BUFFERS)
    rows = await markers.find({}, {"by": 1, "created_at": 1}).to_list(None)
    places: Counter[str] = Counter()
    for row in sorted(rows, key=lambda row: (row["created_at"], row["_id"])):
        await markers.update_one(
            {"_id": row["_id"], "personal_place": {"$exists": False}},
            {"$set": {"personal_place": places[row["by"]]}},
        )
        places[row["by"]] += 1
