"""Disk space: below FREE_SPACE_MIN_BYTES buffers shrink fairly, and nothing new is begun.

A disk that can take no more files is as full as one that can take no more bytes.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from app import metrics
from app.buffer import clock, markers, pins, summary
from app.buffer.coverage import Indexed
from app.buffer.newest_segments import newest_of_live
from app.buffer.retention import Held, RetentionCut, fullness, may_go, shrink
from app.cleaning.removal import FIELDS, remove
from app.context import Context
from app.models import SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import EgressSession, Segment
from app.storage.free_space import free_bytes, free_space
from app.work import rounds
from app.work.jobs import job, seconds

SHARE_PER_ROUND = 0.9
"""Each round allows a buffer this much of what the round before allowed."""
ROUNDS = 30

log = structlog.get_logger()


async def refuse_new(ctx: Context) -> bool:
    """Whether there is too little space to begin another recording."""
    free = await free_space(ctx.settings.media_root)
    return free.is_short(ctx.settings.free_space_min_bytes)


# Egress may fill what is left of a disk within seconds; looking costs one statvfs.
@job("relieve", every=seconds(10), timeout=seconds(90))
async def relieve(ctx: Context) -> int:
    """Shrinks buffers until there is enough space again, or nothing more may go.

    Returns how many segments are gone. The fullest buffers lose first, oldest media first. What is
    pinned, and the newest segment of a live session, stays.
    """
    gone = 0
    if not await ctx.has_media_root():
        return gone  # it would be another disk that is full
    fullest: int | None = None
    untouchable: set[str] = set()
    unreadable: set[str] = set()
    for number in range(1, ROUNDS + 1):
        if not await refuse_new(ctx):
            break
        sessions, buffers = await _held(ctx, unreadable)
        if fullest is None:
            # of these nothing may go: marks of theirs are not pinned
            untouchable |= await markers.pin_again(ctx.store, datetime.now(UTC))
            fullest = max((fullness(parts) for parts in buffers.values()), default=0)
        level = int(fullest * SHARE_PER_ROUND**number)
        for buffer_id in buffers.keys() - untouchable:
            with rounds.item(buffer=buffer_id) as attempt:
                for cut in shrink({buffer_id: buffers[buffer_id]}, level):
                    gone += await _cut(ctx, sessions[cut.session_id], cut)
            if attempt.error is not None:
                untouchable.add(buffer_id)
    if gone:
        metrics.ERRORS.labels(ErrorKind.WINDOWS_SHRUNK).inc()
        log.warning(
            "windows_shrunk", segments=gone, free_bytes=await free_bytes(ctx.settings.media_root)
        )
    return gone


async def _held(
    ctx: Context, unreadable: set[str]
) -> tuple[dict[str, SessionRow], dict[str, list[Held]]]:
    """The sessions that hold media, by id, and what each buffer holds.

    `unreadable`: sessions that are left out; those that can't be read come to them.
    """
    rows = await ctx.store.rows(EgressSession).find({"clock_ns": {"$ne": None}}).to_list(None)
    buffers: dict[str, list[Held]] = {}
    looked_at: set[str] = set()

    async def look(some: Sequence[SessionRow]) -> int:
        indexed = await summary.read(ctx.store, some)
        found = [_held_of(row, indexed[row["_id"]]) for row in some if row["_id"] in indexed]
        for buffer_id, held in found:
            buffers.setdefault(buffer_id, []).append(held)
        looked_at.update(row["_id"] for row in some)
        return len(found)

    by_id = {row["_id"]: row for row in rows if row["_id"] not in unreadable}
    await rounds.together_or_alone("session", {each: [row] for each, row in by_id.items()}, look)
    unreadable |= by_id.keys() - looked_at
    return by_id, buffers


def _held_of(row: SessionRow, indexed: Indexed) -> tuple[str, Held]:
    """The buffer of a session, and what it holds. Raises TypeError if it can't be compared."""
    held = Held(row["_id"], clock.of(row), indexed.runs)
    for number in (held.clock_ns, held.ticks):
        operator.index(number)
    hash(row["buffer_id"])
    return row["buffer_id"], held


async def _cut(ctx: Context, session: SessionRow, cut: RetentionCut) -> int:
    now = datetime.now(UTC)
    query = {"session_id": session["_id"], "end_ticks": {"$lte": cut.before_ticks}}
    rows = await ctx.store.rows(Segment).find(query, FIELDS).to_list(None)
    newest = await newest_of_live(ctx.store, [session])
    pinned = await pins.pinned(ctx.store, [session["_id"]], now)
    return await remove(ctx, may_go(rows, pinned, newest))
