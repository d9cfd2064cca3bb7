"""Clips know whether others get what they hide, and of the copy without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows

_NEW: dict[str, Any] = {
    "hidden_head_shared": False,
    "clean_bytes": None,
    "clean_checksum": None,
    "clean_lease": None,
    "clean_until": None,
    "clean_attempts": 0,
}


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Gives clips the fields. Owners of open ones were asked, and let others have all of them."""
    opened = {"hidden_head_shared": {"$exists": False}, "visibility": {"$in": ["room", "link"]}}
    await database["clips"].update_many(opened, {"$set": {"hidden_head_shared": True}})
    await complete_rows.complete(database, {"clips": _NEW})
