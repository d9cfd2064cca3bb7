"""Packs that are to go removed from their bucket, and their rows after them.

A bucket that is away, or refuses us, is told and asked again later: it stops nobody who deletes.
The rows stay until then, and whoever waits for them is told that they are not gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import structlog

from app import metrics
from app.buffer import packs
from app.context import Context
from app.errors import StoreAway, StoreRefuses
from app.models import PackRow, PackState, Row
from app.models.metric_words import ErrorKind
from app.models.schema import EgressSession, Pack
from app.storage.clip_store import ClipStore
from app.storage.confined import is_name
from app.store import before, chunks

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore

AT_ONCE = 100
SESSIONS_AT_ONCE = 1000
WRITING_LASTS = timedelta(minutes=15)
"""More than a put may take: whoever wrote a pack is gone then, and it does not appear any more."""
ANSWER_SECONDS = 15.0
AGAIN_SECONDS = 30.0
"""After a bucket that was away: what is deleted on the disk does not wait for it each time."""
_FIELDS = {"session_id": 1, "tag": 1, "created_at": 1}
_again_at: WeakKeyDictionary[ClipStore, float] = WeakKeyDictionary()

log = structlog.get_logger()


async def sweep(ctx: Context, session_ids: Collection[str] | None = None) -> bool:
    """Removes condemned packs, of some sessions or of all. Returns whether all of them are gone.

    One that may still be put is looked for again until it can't be.
    """
    settled = datetime.now(UTC) - WRITING_LASTS
    query: Row = {"state": PackState.CONDEMNED}
    if session_ids is None:
        left_behind = {"state": PackState.WRITING, "created_at": before(settled)}
        await ctx.store.rows(Pack).update_many(left_behind, packs.CONDEMNED)
        await _condemn_of_nobody(ctx)
    else:
        query["session_id"] = {"$in": list(session_ids)}
    found = await ctx.store.rows(Pack).find(query, _FIELDS).to_list(None)
    return await _remove(ctx, found, settled)


async def forget(ctx: Context, session_id: str) -> bool:
    """Removes all packs of a session, of which no segment is left. Returns whether they are gone.

    What is there beside them without a row goes with them. Of one without packs nothing is asked.
    """
    if await ctx.store.rows(Pack).find_one({"session_id": session_id}, {"_id": 1}) is None:
        return True
    await packs.condemn_all(ctx.store, [session_id])
    folder = packs.folder(session_id)

    async def remove(store: PackStore) -> None:
        await store.remove(await store.listed(folder))

    # Before the rows, which tell the next pass to look there again.
    return await _answers(ctx, remove) and await sweep(ctx, [session_id])


async def _condemn_of_nobody(ctx: Context) -> None:
    """Condemns packs of sessions that were forgotten."""
    owners = await ctx.store.rows(Pack).distinct("session_id")
    for some in chunks(owners, SESSIONS_AT_ONCE):
        found = ctx.store.rows(EgressSession).find({"_id": {"$in": some}}, {"_id": 1})
        known = {row["_id"] async for row in found}
        if of_nobody := [each for each in some if each not in known]:
            await packs.condemn_all(ctx.store, of_nobody)


async def _remove(ctx: Context, found: list[PackRow], settled: datetime) -> bool:
    gone = 0
    for some in chunks(found, AT_ONCE):
        paths = [packs.storage_path(row) for row in some if _is_ours(row)]
        if paths and not await _answers(ctx, partial(_take, paths)):
            return False
        over = [row["_id"] for row in some if row["tag"] or row["created_at"] < settled]
        await ctx.store.rows(Pack).delete_many({"_id": {"$in": over}})
        gone += len(over)
    return gone == len(found)


async def _take(paths: Collection[str], store: PackStore) -> None:
    await store.remove(paths)


async def _answers(ctx: Context, ask: Callable[[PackStore], Awaitable[None]]) -> bool:
    """Whether the bucket did what it was asked. One that did not lately is not asked."""
    if time.monotonic() < _again_at.get(ctx.clips, 0.0):
        return False
    kind = ErrorKind.CLIP_STORE_AWAY
    try:
        if ctx.kept_packs is None:
            raise StoreAway("packs are in a bucket that CLIPS_URL names no more: name it again")
        async with asyncio.timeout(ANSWER_SECONDS):
            await ask(ctx.kept_packs)
    except TimeoutError:
        error = f"no answer within {ANSWER_SECONDS:.0f} s"
    except StoreAway as away:
        error = away.detail
        if isinstance(away, StoreRefuses):
            kind = ErrorKind.CLIP_STORE_REFUSES
    else:
        return True
    metrics.ERRORS.labels(kind).inc()
    log.warning("packs_not_removed", error=error, again_in_seconds=AGAIN_SECONDS)
    _again_at[ctx.clips] = time.monotonic() + AGAIN_SECONDS
    return False


def _is_ours(row: PackRow) -> bool:
    """Whether an object of ours can be meant: else the row was altered, and goes alone."""
    return is_name(row["session_id"]) and is_name(row["_id"])
