"""Which segments are the newest of sessions that are still being recorded."""

from __future__ import annotations

from collections.abc import Iterable

from app.models import SessionRow
from app.models.schema import Segment
from app.store import Store


async def newest_of_live(
    store: Store, sessions: Iterable[SessionRow], above: dict[str, int] | None = None
) -> dict[str, int]:
    """By id the highest sequence of each session that is still being indexed.

    The search begins at `above`: by session id, a sequence that is known to exist.
    """
    known = above or {}
    newest: dict[str, int] = {}
    for session in sessions:
        if session["indexing"] is None:
            continue
        query = {"session_id": session["_id"], "sequence": {"$gte": known.get(session["_id"], 0)}}
        found = store.rows(Segment).find(query, {"sequence": 1}).sort("sequence", -1).limit(1)
        async for row in found:
            newest[session["_id"]] = row["sequence"]
    return newest
