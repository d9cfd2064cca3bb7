"""Clips know what the page of their link may tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Links that were given before tell nothing: their owners knew of no page."""
    given = {"link_tells": {"$exists": False}, "link_secret": {"$ne": None}}
    await database["clips"].update_many(given, {"$set": {"link_tells": []}})
    await complete_rows.complete(database, {"clips": {"link_tells": ["who", "when"]}})
