"""Rights know when something of theirs was last ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """It is not known of those that are there: they count from the first cleaning on."""
    await complete_rows.complete(database, {"rights": {"ended_at": None}})
