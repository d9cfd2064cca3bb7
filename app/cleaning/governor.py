"""Disk space: below FREE_SPACE_MIN_BYTES buffers shrink fairly, and nothing new is begun."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime

import structlog

from app import metrics
from app.buffer import clock, markers, pins, summary
from app.buffer.newest import newest_of_live
from app.buffer.retention import Held, RetentionCut, fullness, may_go, shrink
from app.cleaning.removal import FIELDS, remove
from app.context import Context
from app.models import SessionRow
from app.models.schema import EgressSession, Segment
from app.work.jobs import job, seconds

SHARE_PER_ROUND = 0.9
"""Each round allows a buffer this much of what the round before allowed."""
ROUNDS = 30

log = structlog.get_logger()


async def free_bytes(ctx: Context) -> int:
    """Free space on the disk of the media root, as an ordinary user sees it."""
    return (await asyncio.to_thread(shutil.disk_usage, ctx.settings.media_root)).free


async def refuse_new(ctx: Context) -> bool:
    """Whether there is too little space to begin another recording."""
    return await free_bytes(ctx) < ctx.settings.free_space_min_bytes


# Egress may fill what is left of a disk within seconds; looking costs one statvfs.
@job("relieve", every=seconds(10), timeout=seconds(90))
async def relieve(ctx: Context) -> int:
    """Shrinks buffers until there is enough space again, or nothing more may go.

    Returns how many segments are gone. The fullest buffers lose first, oldest media first. What is
    pinned, and the newest segment of a live session, stays.
    """
    gone = 0
    fullest: int | None = None
    for number in range(1, ROUNDS + 1):
        if not await refuse_new(ctx):
            break
        sessions, buffers = await _held(ctx)
        if fullest is None:
            await markers.pin_again(ctx.store, datetime.now(UTC))
            fullest = max((fullness(parts) for parts in buffers.values()), default=0)
        for cut in shrink(buffers, int(fullest * SHARE_PER_ROUND**number)):
            gone += await _cut(ctx, sessions[cut.session_id], cut)
    if gone:
        metrics.ERRORS.labels("windows_shrunk").inc()
        log.warning("windows_shrunk", segments=gone, free_bytes=await free_bytes(ctx))
    return gone


async def _held(ctx: Context) -> tuple[dict[str, SessionRow], dict[str, list[Held]]]:
    """The sessions that hold media, by id, and what each buffer holds."""
    rows = await ctx.store.rows(EgressSession).find({"clock_ns": {"$ne": None}}).to_list(None)
    indexed = await summary.read(ctx.store, rows)
    buffers: dict[str, list[Held]] = {}
    for row in rows:
        if row["_id"] in indexed:
            held = Held(row["_id"], clock.of(row), indexed[row["_id"]].runs)
            buffers.setdefault(row["buffer_id"], []).append(held)
    return {row["_id"]: row for row in rows}, buffers


async def _cut(ctx: Context, session: SessionRow, cut: RetentionCut) -> int:
    now = datetime.now(UTC)
    query = {"session_id": session["_id"], "end_ticks": {"$lte": cut.before_ticks}}
    rows = await ctx.store.rows(Segment).find(query, FIELDS).to_list(None)
    newest = await newest_of_live(ctx.store, [session])
    pinned = await pins.pinned(ctx.store, [session["_id"]], now)
    return await remove(ctx, may_go(rows, pinned, newest))
