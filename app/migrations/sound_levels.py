"""Segments know how loud their sound is, part by part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows, old_indexes

_REPLACED = {"buffers": "ended_at_1", "clips": "expires_at_1", "participants": "left_at_1"}
"""Indexes in whose place there are others that begin with the same field, or hold it."""


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """It is not known of those that are there. Indexes that are replaced go with this version."""
    for collection, name in _REPLACED.items():
        await old_indexes.drop(database, collection, name)
    await complete_rows.complete(database, {"segments": {"levels": b""}})
