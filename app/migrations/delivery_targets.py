"""Events know how they stand at each target, and rooms the highest number that they have had."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

_TAKEN = ("state", "attempts", "next_try_at", "last_error")


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """What was sent or is to be sent goes to EVENTS_URL, the only target until then."""
    events, numbers = database["events"], database["event_numbers"]
    highest: dict[str, tuple[int, datetime]] = {}
    fields = dict.fromkeys(("room", "number", "created_at", *_TAKEN), 1)
    async for row in events.find({}, fields):
        target = {field: row[field] for field in _TAKEN}
        lacks = {"_id": row["_id"], "targets": {"$exists": False}}
        await events.update_one(lacks, {"$set": {"targets": {"default": target}}})
        latest = row["number"], row["created_at"]
        highest[row["room"]] = max(highest.get(row["room"], latest), latest)
    for room, (number, told_at) in highest.items():
        change = {"$max": {"number": number, "told_at": told_at}}
        await numbers.update_one({"_id": room}, change, upsert=True)
