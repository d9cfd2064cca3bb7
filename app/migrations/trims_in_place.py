"""Captures that are trims know whether they take their clip's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now none did."""
    lacks = {"trim": {"$ne": None}, "trim.in_place": {"$exists": False}}
    await database["captures"].update_many(lacks, {"$set": {"trim.in_place": False}})
