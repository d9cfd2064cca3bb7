"""Timelines of buffers, read from the database."""

from __future__ import annotations

from datetime import datetime

from app.buffer import marked_media, summary
from app.buffer.retention_period import retention
from app.models import SessionRow
from app.models.schema import Buffer, EgressSession
from app.settings import Settings
from app.store import Store, first
from app.viewing.timeline import Timeline, build, offered_from

_AT_ONCE = 200


async def read(store: Store, buffer_id: str, now: datetime, settings: Settings) -> Timeline | None:
    """The timeline of one buffer; None if there is no such buffer."""
    found = await listing(store, {"_id": buffer_id}, now, settings, limit=1)
    return found[0] if found else None


async def listing(
    store: Store,
    query: dict[str, object],
    now: datetime,
    settings: Settings,
    *,
    limit: int = _AT_ONCE,
) -> list[Timeline]:
    """The timelines of the buffers that `query` (on rows of Buffer) matches, newest share first.

    It costs five reads, and a small one for each session that is being indexed and for each marked
    stretch that is older than what is offered.
    """
    rows = await first(store.rows(Buffer).find(query).sort("since", -1), limit)
    ids = [row["_id"] for row in rows]
    wanted = {"buffer_id": ids[0] if len(ids) == 1 else {"$in": ids}}
    sessions = await store.rows(EgressSession).find(wanted).to_list(None) if ids else []
    indexed = await summary.read(store, sessions)
    marks = await marked_media.intervals(store, ids, now)
    if marks:
        indexed = await marked_media.restored(store, sessions, indexed, marks)
    by_buffer: dict[str, list[SessionRow]] = {each: [] for each in ids}
    for session in sessions:
        by_buffer[session["buffer_id"]].append(session)
    periods = await retention(store, settings, [row["community"] for row in rows])
    return [
        build(
            row,
            by_buffer[row["_id"]],
            indexed,
            now,
            offered_from(now, settings, periods.of(row["community"])),
            marks.get(row["_id"], ()),
        )
        for row in rows
    ]
