"""Clips count how often they were deleted and restored, and quotas know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Begins to count: a clip that is deleted has been so once."""
    clips, quotas = database["clips"], database["quotas"]
    await quotas.update_many({"turns": {"$exists": False}}, {"$set": {"turns": {}}})
    lacks = {"turn": {"$exists": False}}
    await clips.update_many(lacks | {"deleted_at": None}, {"$set": {"turn": 0}})
    for row in await clips.find(lacks, {"owner": 1}).to_list(None):
        clip_id = row["_id"]
        await quotas.update_one({"_id": row["owner"]}, {"$set": {f"turns.{clip_id}": 1}})
        await clips.update_one(lacks | {"_id": clip_id}, {"$set": {"turn": 1}})
