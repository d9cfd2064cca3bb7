"""Clips name all that they are a part of, not only the clip that they were trimmed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import complete_rows, old_indexes

_AT_ONCE = 500
"""Trims that are read, and changed, at once, with what they are a part of."""
_FIELDS = {"trimmed_from": 1, "in_place_of": 1}
_LACKS: dict[str, Any] = {"ancestors": {"$exists": False}}

_Row = dict[str, Any]


async def migrate(database: AsyncDatabase[_Row], _media_root: Path) -> None:
    """Up to now the clip that was trimmed stood alone, and parts were moved on when it went."""
    clips = database["clips"]
    await old_indexes.drop(database, "clips", "trimmed_from_1")
    some: list[_Row] = []
    async for row in clips.find({"trimmed_from": {"$ne": None}} | _LACKS, _FIELDS):
        some.append(row)
        if len(some) == _AT_ONCE:
            await _complete(clips, some)
            some = []
    if some:
        await _complete(clips, some)
    # What is a part of nothing may have a place, too: of a trim of its own.
    places = {"in_place_of": {"$ne": None}} | _LACKS
    await clips.update_many(places, {"$set": {"in_place_of.first": None}})
    await complete_rows.complete(database, {"clips": {"ancestors": []}})


async def _complete(clips: AsyncCollection[_Row], trims: Sequence[_Row]) -> None:
    rows = await _with_those_before(clips, trims)
    changes = []
    for row in trims:
        ancestors = _chain(rows, row["_id"])
        change: _Row = {"ancestors": ancestors}
        if row["in_place_of"] is not None:
            change["in_place_of.first"] = _first(rows, row["_id"], ancestors)
        changes.append(UpdateOne({"_id": row["_id"]} | _LACKS, {"$set": change}))
    await clips.bulk_write(changes, ordered=False)


async def _with_those_before(
    clips: AsyncCollection[_Row], trims: Sequence[_Row]
) -> Mapping[str, _Row]:
    """By id these and what they are a part of, or have the place of, as far as it is there."""
    rows: dict[str, _Row] = {}
    asked = {row["_id"] for row in trims}
    newest = list(trims)
    while newest:
        rows |= {row["_id"]: row for row in newest}
        before = {row["trimmed_from"] for row in newest} | {_place(row) for row in newest}
        wanted = before - asked - {None}
        asked |= wanted
        newest = await clips.find({"_id": {"$in": [*wanted]}}, _FIELDS).to_list(None)
    return rows


def _place(row: _Row) -> str | None:
    """The clip whose place one was given last."""
    place: str | None = row["in_place_of"] and row["in_place_of"]["clip_id"]
    return place


def _chain(rows: Mapping[str, _Row], clip_id: str) -> list[str]:
    """The clip that it is a part of, what that is a part of, and so on."""
    found: list[str] = []
    while clip_id in rows and (parent := rows[clip_id]["trimmed_from"]) is not None:
        if parent in found:
            break
        found.append(parent)
        clip_id = parent
    return found


def _first(rows: Mapping[str, _Row], clip_id: str, ancestors: Sequence[str]) -> str | None:
    """The first of its ancestors that had the place which it has, one after another."""
    known, first = {clip_id}, None
    while clip_id in rows and (place := _place(rows[clip_id])) is not None and place not in known:
        known.add(place)
        first = place if place in ancestors else first
        clip_id = place
    return first
