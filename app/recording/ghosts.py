"""Ghosts: sessions whose egress LiveKit takes for running, and that nobody serves any more.

A worker that dies tells nobody. LiveKit lists its egresses as active, and their recorders as in the
room until it misses them, some 30 s later; where it was restarted meanwhile, for good. A ghost is
known by this: its recorder is not in the room, or it writes nothing and answers nothing, neither
when it is asked for a sign of life nor to stop. Silence alone is no sign: a disk may be away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from livekit.protocol.egress import EgressInfo
from pymongo import DESCENDING

from app.buffer.paths import LIVE_PLAYLIST
from app.buffer.session_folders import folders_of
from app.context import Context
from app.errors import Unavailable
from app.models import SessionRow, Why, schema
from app.recording import egress_start
from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone
from app.work import errands
from app.work.jobs import job, seconds

GHOST_SECONDS = 40.0
"""A recorder is in the room within seconds of its start, and the last update comes within seconds
of its leaving; listed active for so long without either: a ghost."""
SILENT_SECONDS = 10.0
SILENT_SEGMENTS = 3
"""An egress whose stop nobody answered, and of which nothing was indexed for so long, is gone."""
_COMING = frozenset({Why.STARTING, Why.NO_WORKER, Why.EGRESS_FAILED})
"""Why a share is not recorded that will be."""
_THAW = timedelta(seconds=5)
"""What an egress wrote so long after it was taken for a ghost is no late file: it goes on. Nor is
it believed if that is so long from now: egress says itself when it has written."""

log = structlog.get_logger()


def is_ghost(row: SessionRow, info: EgressInfo, recorders: Collection[str], now: datetime) -> bool:
    """Whether the egress of a session that is listed as active has no recorder.

    `recorders`: in all rooms. How old it is says our own clock, too: LiveKit's may be behind.
    """
    told_at = max(info.started_at, info.updated_at) / 1e9
    silent_seconds = now.timestamp() - max(told_at, row["created_at"].timestamp())
    return info.egress_id not in recorders and silent_seconds > GHOST_SECONDS


async def declare(ctx: Context, row: SessionRow) -> None:
    """Notes that nobody serves a session any more: it is over."""
    now = datetime.now(UTC)
    marked = await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"], "ghost_at": None}, {"$set": {"ghost_at": now, "ended_at": now}}
    )
    if marked.modified_count:
        log.warning("egress_is_a_ghost", session=row["_id"], egress=row["egress_id"])


@job(errands.PROBE, timeout=seconds(30))
async def probe(ctx: Context, livekit: LiveKit, session_id: str) -> None:
    """Asks the egress of a session that writes nothing for a sign of life.

    If nobody answers, and nothing is indexed meanwhile, it is a ghost. If LiveKit itself does not
    answer, nothing is concluded: who asked asks again.
    """
    began = datetime.now(UTC)
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session_id})
    if row is None or row["ended_at"] is not None or row["egress_id"] is None:
        return
    try:
        await livekit.probe(row["egress_id"])
    except AlreadyOver:
        with suppress(Unavailable):
            await egress_start.note_end(ctx, row, await livekit.egress(row["egress_id"]), began)
            await ctx.queue.ask(errands.RECONCILE, row["room_sid"], row["identity"])
    except WorkerGone:
        if await _last_sign(ctx, row) >= began:
            return
        await declare(ctx, row)
        await ctx.queue.ask(errands.RECONCILE, row["room_sid"], row["identity"])
        # If it only missed the question, two would record the share.
        with suppress(AlreadyOver, WorkerGone, Unavailable):
            await livekit.stop(row["egress_id"])
    except Unavailable as error:
        log.warning("probe_unanswered", session=session_id, error=str(error))


async def is_silent(ctx: Context, row: SessionRow, now: datetime) -> bool:
    """Whether nothing of a session has been indexed for long."""
    longest_seconds = max(SILENT_SECONDS, SILENT_SEGMENTS * row["segment_seconds"])
    return now - await _last_sign(ctx, row) > timedelta(seconds=longest_seconds)


async def is_in_the_way(ctx: Context, row: SessionRow, ghost_at: datetime, now: datetime) -> bool:
    """Whether a ghost was none, as its worker was only held up, and is to be stopped.

    It writes again, and something else records its share, or nothing is to. While a share only
    waits for another egress, perhaps for the place that this one has, nothing is gained by a stop.
    """
    return await _writes_again(ctx, row, ghost_at, now) and not await _waits(ctx, row)


async def _writes_again(ctx: Context, row: SessionRow, ghost_at: datetime, now: datetime) -> bool:
    try:
        written = folders_of(ctx.egress, row).written
        stamp = await asyncio.to_thread(written.stamp, LIVE_PLAYLIST)
    except (OSError, ValueError):  # nothing there, or a row whose folder is none of ours
        return False
    return (ghost_at + _THAW).timestamp() < stamp.modified < (now + _THAW).timestamp()


async def _waits(ctx: Context, row: SessionRow) -> bool:
    """Whether a session's share is to be recorded, and is not yet."""
    of_share = {"buffer_id": row["buffer_id"]}
    rows = await ctx.store.rows(schema.EgressSession).find(of_share).to_list(None)
    if any(each["role"] is not None and each["active_at"] is not None for each in rows):
        return False
    buffer = await ctx.store.rows(schema.Buffer).find_one({"_id": row["buffer_id"]})
    return buffer is not None and buffer["ended_at"] is None and buffer["why"] in _COMING


async def _last_sign(ctx: Context, row: SessionRow) -> datetime:
    """When something of a session was indexed last, or it began."""
    of_session = {"session_id": row["_id"]}
    newest = await ctx.store.rows(schema.Segment).find_one(
        of_session, {"indexed_at": 1}, sort=[("sequence", DESCENDING)]
    )
    signs = [newest["indexed_at"] if newest else None, row["active_at"], row["start_sent_at"]]
    return max(filter(None, signs), default=row["created_at"])
