"""Clips know whether they were opened, who has closed them, and who asks to have them deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows

_NEW: dict[str, dict[str, Any]] = {
    "clips": {"opened": False, "closed_by": None, "deletion_request": None},
    "communities": {"sharer_rights": None},
}


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now nobody but their owners could close any, or was asked."""
    opened = {"opened": {"$exists": False}, "visibility": {"$in": ["room", "link"]}}
    await database["clips"].update_many(opened, {"$set": {"opened": True}})
    await complete_rows.complete(database, _NEW)
