"""Communities know what people are shown of them in place of their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now that was their names."""
    await complete_rows.complete(database, {"communities": {"title": None}})
