"""Whom an egress records: kept in memory, as it never changes."""

from __future__ import annotations

from app.lru_cache import LruCache
from app.models import SessionRow, schema
from app.store import Store

Whose = tuple[str, str]
"""Room sid and identity."""

_known: LruCache[Whose] = LruCache(10_000)
"""By database and egress id."""


def remember(store: Store, egress_id: str, session: SessionRow) -> None:
    """Keeps whose session has this egress."""
    _known.put(_key(store, egress_id), (session["room_sid"], session["identity"]))


async def of(store: Store, egress_id: str) -> Whose | None:
    """Whom an egress records; None if it is none of ours."""
    if (known := _known.get(_key(store, egress_id))) is not None:
        return known
    row = await store.rows(schema.EgressSession).find_one({"egress_id": egress_id})
    if row is None:
        return None
    remember(store, egress_id, row)
    return row["room_sid"], row["identity"]


def _key(store: Store, egress_id: str) -> str:
    return f"{store.database.name}\0{egress_id}"
