"""Captures know whether their file has its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Of those on their way it is not known: they give it the name again, which changes nothing."""
    await complete_rows.complete(database, {"captures": {"named": False}})
