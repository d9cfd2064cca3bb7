"""One pass of cleanup: what is old, over or unknown goes, in an order that heals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.buffer import markers, pins
from app.buffer.newest import newest_of_live
from app.buffer.retention import may_go
from app.buffer.retention_period import Retention, retention
from app.cleaning import governor, strays
from app.cleaning.erasure import forget_session
from app.cleaning.removal import AT_ONCE, FIELDS, remove
from app.context import Context
from app.models import CaptureStatus, SegmentRow
from app.models.schema import Buffer, Capture, EgressSession, Segment
from app.store import batches
from app.work.jobs import job, minutes, seconds

SETTLED_AFTER = timedelta(seconds=60)
"""A session that is over for less may still be looked at by whoever ended it."""

log = structlog.get_logger()


@job("cleanup", every=lambda settings: minutes(settings.cleanup_minutes), timeout=seconds(90))
async def run(ctx: Context) -> None:
    """Removes what may go now. Safe to interrupt anywhere, and to run twice at once."""
    await markers.pin_again(ctx.store, datetime.now(UTC))
    shrunk = await governor.relieve(ctx)
    now = datetime.now(UTC)
    expired = await _expire(ctx, now)
    sessions = await _forget_sessions(ctx, now)
    buffers = await _forget_buffers(ctx, now)
    stray = await strays.settle(ctx, now)
    log.info(
        "cleanup_done",
        segments=expired + shrunk,
        sessions=sessions,
        buffers=buffers,
        stray_files=stray.removed,
        missing_files=stray.missing,
    )


async def _expire(ctx: Context, now: datetime) -> int:
    """Removes segments that ended before their retention. Returns how many."""
    periods = await retention(ctx.store, ctx.settings)
    query = {"end": {"$lt": now - periods.shortest}}
    gone = 0
    old = ctx.store.rows(Segment).find(query, FIELDS | {"buffer_id": 1})
    async for rows in batches(old, AT_ONCE):
        gone += await _expire_some(ctx, rows, periods, now)
    return gone


async def _expire_some(
    ctx: Context, rows: list[SegmentRow], periods: Retention, now: datetime
) -> int:
    if periods.own:
        of_rows = {"_id": {"$in": list({row["buffer_id"] for row in rows})}}
        buffers = ctx.store.rows(Buffer).find(of_rows, {"community": 1})
        communities = {row["_id"]: row["community"] async for row in buffers}
        rows = [
            row
            for row in rows
            if row["end"] < now - periods.of(communities.get(row["buffer_id"], ""))
        ]
    if not rows:
        return 0
    highest: dict[str, int] = {}
    for row in rows:
        highest[row["session_id"]] = max(row["sequence"], highest.get(row["session_id"], 0))
    wanted = {"_id": {"$in": list(highest)}}
    sessions = await ctx.store.rows(EgressSession).find(wanted).to_list(None)
    newest = await newest_of_live(ctx.store, sessions, highest)
    pinned = await pins.pinned(ctx.store, highest, now)
    return await remove(ctx, may_go(rows, pinned, newest))


async def _forget_sessions(ctx: Context, now: datetime) -> int:
    """Forgets sessions that are over and have no media any more. Returns how many."""
    gone = 0
    query = {"indexing": None, "ended_at": {"$lt": now - SETTLED_AFTER}}
    for row in await ctx.store.rows(EgressSession).find(query).to_list(None):
        has_media = await ctx.store.rows(Segment).find_one({"session_id": row["_id"]}, {"_id": 1})
        if has_media is None and not await pins.pinned(ctx.store, [row["_id"]], now):
            gone += await forget_session(ctx, row, now)
    return gone


async def _forget_buffers(ctx: Context, now: datetime) -> int:
    """Forgets buffers that are over and that nothing refers to. Returns how many."""
    gone = 0
    query = {"ended_at": {"$lt": now - ctx.settings.retention}}
    async for row in ctx.store.rows(Buffer).find(query, {"_id": 1}):
        of_buffer = {"buffer_id": row["_id"]}
        if await ctx.store.rows(EgressSession).find_one(of_buffer, {"_id": 1}):
            continue
        unfinished = of_buffer | {"status": {"$in": CaptureStatus.unfinished()}}
        if await ctx.store.rows(Capture).find_one(unfinished, {"_id": 1}):
            continue
        deleted = await ctx.store.rows(Buffer).delete_one({"_id": row["_id"], **query})
        await markers.forget(ctx.store, row["_id"])
        gone += deleted.deleted_count
    return gone
