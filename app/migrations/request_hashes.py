"""Markers and events know what the Idempotency-Key that names them was used for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """It is not known of those that are there."""
    lacking: dict[str, dict[str, Any]] = {
        "markers": {"request_hash": ""},
        "events": {"request_hash": ""},
    }
    await complete_rows.complete(database, lacking)
