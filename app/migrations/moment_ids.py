"""Captures and clips know which of them were asked for together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now each was asked for by itself."""
    lacking: dict[str, dict[str, Any]] = {
        "captures": {"moment_id": None},
        "clips": {"moment_id": None},
    }
    await complete_rows.complete(database, lacking)
