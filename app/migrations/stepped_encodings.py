"""Sessions know what egress was asked for, and shares whether they went on in something cheaper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """It is not known of those that are there, and none of them has gone on in another."""
    session = {"encoding": "", "encoding_why": None, "behind_at": None}
    buffer = {"step": None, "told_encoding": ""}
    await complete_rows.complete(database, {"sessions": session, "buffers": buffer})
