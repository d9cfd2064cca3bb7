"""A community's slots are known by whose shares they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Those that are held now, too: they count for the limit of their user."""
    communities = database["communities"]
    lacks = {"sharers": {"$exists": False}}
    async for row in communities.find(lacks, {"slots": 1}):
        held = {"_id": {"$in": row.get("slots", [])}}
        sharers: dict[str, list[str]] = {}
        async for buffer in database["buffers"].find(held, {"identity": 1}).sort("_id", 1):
            identity = buffer["identity"].encode("utf-8", "surrogatepass")
            name = hashlib.sha256(identity).hexdigest()[:32]
            sharers.setdefault(name, []).append(buffer["_id"])
        await communities.update_one({"_id": row["_id"]} | lacks, {"$set": {"sharers": sharers}})
    await complete_rows.complete(database, {"communities": {"max_concurrent_per_user": None}})
