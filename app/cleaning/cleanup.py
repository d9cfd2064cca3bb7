"""One pass of cleanup: what is old, over or unknown goes, in an order that heals."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from app.buffer import markers, pins, summary
from app.buffer.newest_segments import newest_of_live
from app.buffer.retention import may_go
from app.buffer.retention_period import Retention, retention
from app.cleaning import governor, pack_removal, strays
from app.cleaning.buffer_tree import REMOVAL_SECONDS
from app.cleaning.erasure import forget_session
from app.cleaning.removal import AT_ONCE, FIELDS, remove
from app.context import Context
from app.models import CaptureStatus, Row, SegmentRow, SessionRow
from app.models.schema import Buffer, Capture, EgressSession, Segment
from app.store import batches
from app.work import rounds, set_clock
from app.work.jobs import job, minutes, seconds

SETTLED_AFTER = timedelta(seconds=60)
"""A session that is over for less may still be looked at by the process that ended it."""

log = structlog.get_logger()


@job("cleanup", every=lambda settings: minutes(settings.cleanup_minutes), timeout=seconds(90))
async def run(ctx: Context) -> None:
    """Removes what may go now. Safe to interrupt anywhere, and to run twice at once."""
    if not await ctx.has_media_root():
        return
    now = set_clock.OURS.cautious(datetime.now(UTC))
    done = Counter[str](segments=0, sessions=0, buffers=0)
    unpinned = await markers.pin_again(ctx.store, now)
    with rounds.item(step="relieve"):
        done["segments"] += await governor.relieve(ctx)
    with rounds.item(step="expire"):
        done["segments"] += await _expire(ctx, unpinned, now)
    with rounds.item(step="forget sessions"):
        done["sessions"] += await _forget_sessions(ctx, now)
    with rounds.item(step="forget buffers"):
        done["buffers"] += await _forget_buffers(ctx, now)
    with rounds.item(step="settle strays"):
        stray = await strays.settle(ctx, now)
        done.update(stray_files=stray.removed, missing_files=stray.missing)
    with rounds.item(step="remove packs"):
        await pack_removal.sweep(ctx)
    log.info("cleanup_done", **done)


async def _expire(ctx: Context, unpinned: Collection[str], now: datetime) -> int:
    """Removes segments that ended before their retention. Returns how many.

    `unpinned`: buffers of which nothing may go, since marks of theirs are not pinned.
    """
    periods = await retention(ctx.store, ctx.settings)
    query = {"end": {"$lt": now - periods.shortest}}

    async def expire(rows: Sequence[SegmentRow]) -> int:
        return await _expire_some(ctx, rows, periods, now)

    gone = 0
    old = ctx.store.rows(Segment).find(query, FIELDS | {"buffer_id": 1})
    async for rows in batches(old, AT_ONCE):
        of_sessions: dict[str, list[SegmentRow]] = {}
        for row in rows:
            with rounds.item(segment=row["_id"]):
                if row["buffer_id"] not in unpinned:
                    of_sessions.setdefault(row["session_id"], []).append(row)
        gone += await rounds.together_or_alone("session", of_sessions, expire)
    return gone


async def _expire_some(
    ctx: Context, rows: Sequence[SegmentRow], periods: Retention, now: datetime
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
    """Forgets sessions that are over and have no media any more. Returns how many.

    In any order, and no longer than REMOVAL_SECONDS: egress may have left any number of files in
    some of their folders.
    """
    gone = 0
    query = {"indexing": None, "ended_at": {"$lt": now - SETTLED_AFTER}}
    over = await ctx.store.rows(EgressSession).find(query).to_list(None)
    random.shuffle(over)
    for row in rounds.within(over, REMOVAL_SECONDS):
        with rounds.item(session=row["_id"]):
            if await _has_media(ctx, row):
                continue
            if not await pins.pinned(ctx.store, [row["_id"]], now):
                gone += await forget_session(ctx, row, now)
    return gone


async def _has_media(ctx: Context, session: SessionRow) -> bool:
    """Whether there are segments of a session that is over: most often the last ones are."""
    segments, only_id = ctx.store.rows(Segment), {"_id": 1}
    of_session: Row = {"session_id": session["_id"]}
    last: Row = {"sequence": (await summary.stored(ctx.store, session["_id"])).get("through", -1)}
    for which in (of_session | last, of_session):
        if await segments.find_one(which, only_id) is not None:
            return True
    return False


async def _forget_buffers(ctx: Context, now: datetime) -> int:
    """Forgets buffers that are over and that nothing refers to. Returns how many.

    As long as its share may go on in another track, one stays: it may be stopped.
    """
    gone, periods = 0, await retention(ctx.store, ctx.settings)
    query = {"ended_at": {"$lt": now - ctx.settings.retention}}
    async for row in ctx.store.rows(Buffer).find(query, {"ended_at": 1, "community": 1}):
        with rounds.item(buffer=row["_id"]):
            until = now - max(ctx.settings.retention, periods.of(row["community"]))
            if row["ended_at"] is not None and row["ended_at"] < until:
                gone += await _forget_buffer(ctx, row["_id"], {"ended_at": {"$lt": until}})
    return gone


async def _forget_buffer(ctx: Context, buffer_id: str, over: Row) -> int:
    of_buffer = {"buffer_id": buffer_id}
    if await ctx.store.rows(EgressSession).find_one(of_buffer, {"_id": 1}):
        return 0
    unfinished = of_buffer | {"status": {"$in": CaptureStatus.unfinished()}}
    if await ctx.store.rows(Capture).find_one(unfinished, {"_id": 1}):
        return 0
    deleted = await ctx.store.rows(Buffer).delete_one({"_id": buffer_id, **over})
    await markers.delete_all(ctx.store, buffer_id)
    return deleted.deleted_count
