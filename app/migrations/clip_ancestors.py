"""Clips name all that they are a part of, not only the clip that they were trimmed from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from app.migrations import complete_rows

_BY_PARENT = "trimmed_from_1"


async def migrate(database: AsyncDatabase[dict[str, Any]], _media_root: Path) -> None:
    """Up to now the clip that was trimmed stood alone, and parts were moved on when it went."""
    clips = database["clips"]
    if _BY_PARENT in await clips.index_information():
        with suppress(OperationFailure):  # somebody else has dropped it just now
            await clips.drop_index(_BY_PARENT)
    fields = {"trimmed_from": 1, "in_place_of": 1}
    rows = await clips.find({"trimmed_from": {"$ne": None}}, fields).to_list(None)
    parents = {row["_id"]: row["trimmed_from"] for row in rows}
    for row in rows:
        ancestors = _chain(parents, row["_id"])
        change: dict[str, Any] = {"ancestors": ancestors}
        if row["in_place_of"] is not None:
            place = row["in_place_of"]["clip_id"]
            change["in_place_of.first"] = place if place in ancestors else None
        lacks = {"_id": row["_id"], "ancestors": {"$exists": False}}
        await clips.update_one(lacks, {"$set": change})
    # What is a part of nothing may have a place, too: of a trim of its own.
    places = {"in_place_of": {"$ne": None}, "ancestors": {"$exists": False}}
    await clips.update_many(places, {"$set": {"in_place_of.first": None}})
    await complete_rows.complete(database, {"clips": {"ancestors": []}})


def _chain(parents: dict[str, str], clip_id: str) -> list[str]:
    """The clip that it is a part of, what that is a part of, and so on."""
    found: list[str] = []
    while (parent := parents.get(clip_id)) is not None and parent not in found:
        found.append(parent)
        clip_id = parent
    return found
