"""Leases: several indexers may run, and each session is followed by one of them at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.models import Row
from app.models.schema import EgressSession
from app.store import Store

HEARTBEAT_SECONDS = 5.0
EXPIRY = timedelta(seconds=15)


def is_free(session: Row, indexer: str, now: datetime) -> bool:
    """Whether an indexer may take a session that is being indexed."""
    holder, until = session["indexer"], session["indexer_until"]
    return holder is None or holder == indexer or until is None or bool(until < now)


async def acquire(store: Store, session_id: str, indexer: str, now: datetime) -> Row | None:
    """The session's row, leased to `indexer`; None if another one has it or it is read to its end.

    A lease that has expired is taken over. The row is read, and changed if its lease is still the
    same: SecantusDB's find_one_and_update walks all sessions.
    """
    sessions = store.rows(EgressSession)
    row: Row | None = await sessions.find_one({"_id": session_id, "indexing": "live"})
    if row is None or not is_free(row, indexer, now):
        return None
    leased: Row = {"indexer": indexer, "indexer_until": now + EXPIRY}
    same = {"_id": session_id, "indexing": "live"} | {name: row[name] for name in leased}
    changed = await sessions.update_one(same, {"$set": leased})
    return row | leased if changed.matched_count else None


async def renew(store: Store, indexer: str, now: datetime) -> None:
    """Keeps every lease of an indexer for another while."""
    await store.rows(EgressSession).update_many(
        {"indexing": "live", "indexer": indexer}, {"$set": {"indexer_until": now + EXPIRY}}
    )


async def release(store: Store, indexer: str) -> None:
    """Gives every lease of an indexer back, so that another one can take them at once."""
    await store.rows(EgressSession).update_many(
        {"indexing": "live", "indexer": indexer},
        {"$set": {"indexer": None, "indexer_until": None}},
    )


async def close(store: Store, session_id: str, indexer: str) -> None:
    """Notes that a session's playlists are read to their end, and gives its lease back."""
    await store.rows(EgressSession).update_one(
        {"_id": session_id, "indexer": indexer},
        {"$set": {"indexing": None, "indexer": None, "indexer_until": None}},
    )
