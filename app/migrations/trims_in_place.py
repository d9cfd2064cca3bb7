"""Captures know whether what they make takes a clip's place, and clips whose they took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now nothing did."""
    await complete_rows.complete(
        database,
        {"captures": {"in_place": False}, "clips": {"in_place_of": None, "replaced_by": None}},
    )
