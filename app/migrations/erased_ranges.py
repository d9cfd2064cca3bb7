"""Buffers know of which parts of them are to go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now a sharer could only have all deleted."""
    await complete_rows.complete(database, {"buffers": {"forget_ranges": []}})
