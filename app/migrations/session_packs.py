"""Packs hold media of sessions in a bucket, where releases that do not know them would leave it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def migrate(_database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """None are there yet; the version alone keeps releases of before away."""
