"""Leases of sessions. Several indexers may run, and one of them at a time follows a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.models import Indexing, SessionRow
from app.models.schema import EgressSession
from app.store import Store, before

HEARTBEAT_SECONDS = 5.0
EXPIRY = timedelta(seconds=15)


def is_free(session: SessionRow, indexer: str, now: datetime) -> bool:
    """Whether an indexer may take a session that is being indexed."""
    holder, until = session["indexer"], session["indexer_until"]
    return holder is None or holder == indexer or until is None or until < now


async def acquire(
    store: Store, session_ids: Sequence[str], indexer: str, now: datetime
) -> list[SessionRow]:
    """Leases sessions to `indexer`, in one write: those that are free, and not read to their end.

    Returns their rows. An expired lease is taken over.
    """
    rows = store.rows(EgressSession)
    among = {"_id": {"$in": list(session_ids)}, "indexing": Indexing.LIVE}
    free = [
        {"indexer": {"$in": [None, indexer]}},
        {"indexer_until": None},
        {"indexer_until": before(now)},
    ]
    leased = {"indexer": indexer, "indexer_until": now + EXPIRY}
    await rows.update_many({**among, "$or": free}, {"$set": leased})
    return await rows.find({**among, **leased}).to_list(None)


async def renew(store: Store, indexer: str, now: datetime) -> None:
    """Keeps every lease of an indexer for another while."""
    await store.rows(EgressSession).update_many(
        {"indexing": Indexing.LIVE, "indexer": indexer}, {"$set": {"indexer_until": now + EXPIRY}}
    )


async def release(store: Store, indexer: str) -> None:
    """Gives every lease of an indexer back, so that another one can take them at once."""
    await store.rows(EgressSession).update_many(
        {"indexing": Indexing.LIVE, "indexer": indexer},
        {"$set": {"indexer": None, "indexer_until": None}},
    )


async def close(store: Store, session_id: str, indexer: str) -> None:
    """Notes that a session's playlists are read to their end, and gives its lease back."""
    await store.rows(EgressSession).update_one(
        {"_id": session_id, "indexer": indexer},
        {"$set": {"indexing": None, "indexer": None, "indexer_until": None}},
    )
