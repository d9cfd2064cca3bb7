"""An admin of a community may be about to leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Nobody is."""
    await complete_rows.complete(database, {"members": {"leaves": None}})
