"""Markers have a place of their buffer, and one of those of whoever set them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Gives each marker its places: numbers from 0 on, in the order in which they were set."""
    markers = database["markers"]
    rows = await markers.find({}, {"buffer_id": 1, "by": 1, "created_at": 1}).to_list(None)
    places: Counter[str] = Counter()
    own_places: Counter[tuple[str, str]] = Counter()
    for row in sorted(rows, key=lambda row: (row["created_at"], row["_id"])):
        buffer_id, own = row["buffer_id"], (row["buffer_id"], row["by"])
        numbers = {"place": places[buffer_id], "own_place": own_places[own]}
        places[buffer_id] += 1
        own_places[own] += 1
        await markers.update_one(
            {"_id": row["_id"], "place": {"$exists": False}}, {"$set": numbers}
        )
