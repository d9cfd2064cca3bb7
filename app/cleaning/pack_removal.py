"""Packs that are to go removed from their bucket, and their rows after them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.buffer import packs
from app.context import Context
from app.models import PackRow, PackState, Row
from app.models.schema import Pack
from app.storage.confined import is_name
from app.store import before, chunks

AT_ONCE = 100
WRITING_LASTS = timedelta(minutes=15)
"""More than a put may take: whoever wrote a pack is gone then, and it does not appear any more."""
_FIELDS = {"session_id": 1, "state": 1, "tag": 1, "created_at": 1}


async def sweep(ctx: Context, session_id: str | None = None) -> bool:
    """Removes condemned packs, of one session or of all. Returns whether all of them are gone.

    One that may still be put is looked for again until it can't be. Raises StoreAway.
    """
    if ctx.packs is None:
        return True
    rows = ctx.store.rows(Pack)
    settled = datetime.now(UTC) - WRITING_LASTS
    left_behind = {"state": PackState.WRITING, "created_at": before(settled)}
    condemned = {"$set": {"state": PackState.CONDEMNED}}
    if session_id is None:
        await rows.update_many(left_behind, condemned)
        query: Row = {"state": PackState.CONDEMNED}
    else:
        query = {"session_id": session_id}
    found = await rows.find(query, _FIELDS).to_list(None)
    return await _remove(
        ctx, [row for row in found if row["state"] == PackState.CONDEMNED], settled
    )


async def forget(ctx: Context, session_id: str) -> bool:
    """Removes all packs of a session, of which no segment is left. Returns whether they are gone.

    What is there without a row goes with them. Raises StoreAway.
    """
    if ctx.packs is None:
        return True
    of_session = {"session_id": session_id}
    condemned = {"$set": {"state": PackState.CONDEMNED}}
    await ctx.store.rows(Pack).update_many(of_session, condemned)
    gone = await sweep(ctx, session_id)
    await ctx.packs.remove(await ctx.packs.listed(packs.folder(session_id)))
    return gone


async def _remove(ctx: Context, found: list[PackRow], settled: datetime) -> bool:
    gone = 0
    for some in chunks(found, AT_ONCE):
        assert ctx.packs is not None
        await ctx.packs.remove([packs.storage_path(row) for row in some if _is_ours(row)])
        over = [row["_id"] for row in some if row["tag"] or row["created_at"] < settled]
        await ctx.store.rows(Pack).delete_many({"_id": {"$in": over}})
        gone += len(over)
    return gone == len(found)


def _is_ours(row: PackRow) -> bool:
    """Whether an object of ours can be meant: else the row was altered, and goes alone."""
    return is_name(row["session_id"]) and is_name(row["_id"])
