"""Packs of sessions: which there are, and which are to go. What becomes of them is elsewhere.

Who packs writes the pack's row, then reads the segments' rows. Who deletes condemns the segments,
then reads the packs' rows. So one of the two always sees the other: no pack stays that holds what
was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType

from app.buffer.paths import PACKS_ROOT
from app.buffer.retention import Pinned, covers
from app.models import PackRow, PackState, SegmentRow
from app.models.schema import Pack
from app.storage.confined import is_name, member_text
from app.store import Store

_NONE: Mapping[str, list[tuple[int, int | None]]] = MappingProxyType({})


def storage_path(row: PackRow) -> str:
    """Where a pack is, among the files of clips. The row has at least `_id` and `session_id`.

    Raises PathRefused.
    """
    return member_text(folder(row["session_id"]), row["_id"])


def folder(session_id: str) -> str:
    """Where the packs of a session are. Raises PathRefused."""
    return member_text(PACKS_ROOT, session_id)


async def written(store: Store, session_ids: Iterable[str]) -> list[PackRow]:
    """The packs of sessions that clips may be put together of."""
    found = store.rows(Pack).find({"session_id": {"$in": list(session_ids)}})
    rows = await found.to_list(None)
    return [row for row in rows if row["state"] == PackState.WRITTEN and is_name(row["_id"])]


async def condemn(store: Store, segments: Iterable[SegmentRow], pinned: Pinned = _NONE) -> None:
    """Says that the packs go that hold any of these segments, but for those that a pin covers.

    Such a one goes with the last segment in it.
    """
    going: dict[str, set[int]] = {}
    for row in segments:
        going.setdefault(row["session_id"], set()).add(row["sequence"])
    ids = [
        row["_id"]
        async for row in store.rows(Pack).find({"session_id": {"$in": list(going)}})
        if _holds(row, going[row["session_id"]])
        and not covers(pinned, row["session_id"], row["start_ticks"], row["end_ticks"])
    ]
    if ids:
        condemned = {"$set": {"state": PackState.CONDEMNED}}
        await store.rows(Pack).update_many({"_id": {"$in": ids}}, condemned)


def _holds(row: PackRow, sequences: Set[int]) -> bool:
    """Whether a pack has any of these segments in it, as far as its row can be read."""
    try:
        return any(each["sequence"] in sequences for each in row["fragments"])
    except (LookupError, TypeError):
        return True
