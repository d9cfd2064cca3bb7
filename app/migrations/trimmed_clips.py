"""Captures know whether they are made of a clip, and clips whether they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now all were cut from shares."""
    lacking: dict[str, dict[str, Any]] = {
        "captures": {"trim": None},
        "clips": {"trimmed_from": None},
    }
    await complete_rows.complete(database, lacking)
