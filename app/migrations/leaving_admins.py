"""Admins of communities may be about to leave; rows that lack fields once more get them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Nobody is.

    Since the first step rows of rooms, people and communities were inserted by updates that named
    only some of their fields.
    """
    await complete_rows.complete(database, complete_rows.LACKING)
    await complete_rows.complete(database, {"members": {"leaves": None}})
