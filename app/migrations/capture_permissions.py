"""Captures know whether rules permit them, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Of those on their way it is not known any more: they are made as they were accepted."""
    lacking = {"captures": {"by_rules": False, "permitted_until": None}}
    await complete_rows.complete(database, lacking)
