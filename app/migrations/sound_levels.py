"""Segments know how loud their sound is, part by part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """It is not known of those that are there."""
    await complete_rows.complete(database, {"segments": {"levels": b""}})
