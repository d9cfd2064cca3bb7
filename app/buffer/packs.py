"""Packs of sessions: which there are, and which are to go. What becomes of them is elsewhere.

Who packs writes the pack's row, then reads the segments' rows. Who deletes condemns the segments,
then reads the packs' rows. So one of the two always sees the other: no pack stays that holds what
was deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set

from app.buffer.paths import PACKS_ROOT
from app.models import PackRow, PackState, Row, SegmentRow
from app.models.schema import Pack
from app.storage.confined import member_text
from app.store import Store

CONDEMNED: Row = {"$set": {"state": PackState.CONDEMNED}}
STANDING: Row = {"state": {"$ne": PackState.CONDEMNED}}
"""The change of who condemns a pack; what matches those that nobody has condemned."""


def storage_path(row: PackRow) -> str:
    """Where a pack is, among the files of clips. The row has at least `_id` and `session_id`.

    Raises PathRefused.
    """
    return member_text(folder(row["session_id"]), row["_id"])


def folder(session_id: str) -> str:
    """Where the packs of a session are. Raises PathRefused."""
    return member_text(PACKS_ROOT, session_id)


async def condemn(store: Store, segments: Iterable[SegmentRow]) -> None:
    """Says that the packs go that hold any of these segments, pinned or not.

    What is pinned of one is on the disk.
    """
    going: dict[str, list[SegmentRow]] = {}
    for row in segments:
        going.setdefault(row["session_id"], []).append(row)
    if not going:
        return
    near = [
        _between(
            session_id,
            min(row["start_ticks"] for row in rows) - 1,
            max(row["end_ticks"] for row in rows) + 1,
        )
        for session_id, rows in going.items()
    ]
    found = store.rows(Pack).find({"$or": near}, {"session_id": 1, "fragments.sequence": 1})
    sequences = {each: {row["sequence"] for row in rows} for each, rows in going.items()}
    ids = [row["_id"] async for row in found if _holds(row, sequences[row["session_id"]])]
    if ids:
        await store.rows(Pack).update_many({"_id": {"$in": ids}}, CONDEMNED)


async def condemn_between(
    store: Store, session_id: str, start_ticks: int | None, end_ticks: int
) -> None:
    """Says that the packs go that hold any of a stretch of a session, with segments' rows or
    without; `start_ticks` None: from the beginning."""
    await store.rows(Pack).update_many(_between(session_id, start_ticks, end_ticks), CONDEMNED)


async def condemn_all(store: Store, session_ids: Collection[str]) -> None:
    """Says that all packs of these sessions go."""
    of_sessions: Row = {"session_id": {"$in": list(session_ids)}}
    await store.rows(Pack).update_many(of_sessions | STANDING, CONDEMNED)


def _between(session_id: str, start_ticks: int | None, end_ticks: int) -> Row:
    """The packs that hold any of [start_ticks, end_ticks) and are not condemned yet."""
    ends: Row = {} if start_ticks is None else {"end_ticks": {"$gt": start_ticks}}
    return {"session_id": session_id, "start_ticks": {"$lt": end_ticks}} | ends | STANDING


def _holds(row: PackRow, sequences: Set[int]) -> bool:
    """Whether a pack has any of these segments in it, as far as its row can be read."""
    try:
        return any(each["sequence"] in sequences for each in row["fragments"])
    except (LookupError, TypeError):
        return True
