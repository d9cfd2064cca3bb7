"""What people's tokens say of their community is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Of those who are there now: nothing, until LiveKit tells of them again."""
    await complete_rows.complete(database, {"participants": {"community": None}})
