"""Rows that were written before their model had a field get it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

LACKING: dict[str, dict[str, Any]] = {
    "rooms": {"missing": 0},
    "participants": {"unlisted_at": None},
    "buffers": {"forget_before": None, "stops": {}, "told": "", "told_count": 0},
    "segments": {"modified_ns": None},
    "summaries": {
        "through": -1,
        "floor": 0,
        "runs": [],
        "newest_at": None,
        "kept_from": 0,
        "kept_from_ticks": None,
        "lost": [],
    },
    "clips": {
        "buffer_id": "",
        "audience": None,
        "link_secret": None,
        "link_expires_at": None,
        "grant": 0,
    },
    "communities": {
        "max_concurrent": None,
        "access": None,
        "capture_policy": None,
        "retention_minutes": None,
    },
}
"""By collection the fields that may be missing, and what a missing one has meant."""


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Writes what a missing field has meant."""
    await complete(database, LACKING)


async def complete(
    database: AsyncDatabase[dict[str, Any]], lacking: Mapping[str, Mapping[str, Any]]
) -> None:
    """Writes fields where they are missing, by collection."""
    for collection, fields in lacking.items():
        for field, value in fields.items():
            lacks = {field: {"$exists": False}}
            await database[collection].update_many(lacks, {"$set": {field: value}})
