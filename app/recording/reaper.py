"""Stops egresses of this installation that nothing stands for any more.

Only egresses that LiveKit lists as active, and that bear our instance id in their file prefix, are
stopped. Other installations' are none of our business. One that can't be stopped is a ghost, and is
left alone, unless it writes again where something else records.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from livekit.protocol.egress import EgressInfo

from app.buffer import paths
from app.context import Context
from app.models import SessionRow, schema
from app.recording import ghosts
from app.recording.asked_egress import by_session
from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone
from app.work import rounds
from app.work.jobs import job, minutes, seconds

STOPPING_SECONDS = 20.0
"""For all that is stopped: an egress that hangs answers only after 10 s, or not at all."""
_AT_ONCE = 8

Reaped = TypeVar("Reaped")

log = structlog.get_logger()


async def stop_strays(ctx: Context, livekit: LiveKit, active: list[EgressInfo]) -> None:
    """Stops those whose session has lost its role, such as a start that came through too late.

    And ghosts that were none: what held their worker up is over.
    """
    ours = _ours(ctx, active)
    sessions = ctx.store.rows(schema.EgressSession)
    found = sessions.find({"_id": {"$in": list(ours)}, "role": None})

    async def stop(row: SessionRow) -> None:
        with rounds.item(session=row["_id"]):
            ghost_at = row["ghost_at"]
            now = datetime.now(UTC)
            if ghost_at is not None and not await ghosts.is_in_the_way(ctx, row, ghost_at, now):
                return
            stopped = [await _stop(livekit, info) for info in ours[row["_id"]]]
            if not all(stopped):
                await sessions.update_one(
                    {"_id": row["_id"]}, {"$set": {"ghost_at": datetime.now(UTC)}}
                )

    await _each(await found.to_list(None), stop)


@job("reap", every=lambda settings: minutes(settings.reap_minutes), timeout=seconds(60))
async def reap(ctx: Context, livekit: LiveKit) -> None:
    """Stops our egresses that have no row: what a lost database leaves running."""
    ours = _ours(ctx, await livekit.active_egresses())
    known = await ctx.store.rows(schema.EgressSession).distinct("_id", {"_id": {"$in": list(ours)}})

    async def stop(session_id: str) -> None:
        with rounds.item(session=session_id):
            for info in ours[session_id]:
                await _stop(livekit, info)

    await _each(list(set(ours) - set(known)), stop)


async def _each(strays: list[Reaped], stop: Callable[[Reaped], Awaitable[None]]) -> None:
    """Stops them, in any order, as long as there is time: the others have their turn next time."""
    random.shuffle(strays)
    await rounds.side_by_side(rounds.within(strays, STOPPING_SECONDS), stop, _AT_ONCE)


def _ours(ctx: Context, active: list[EgressInfo]) -> dict[str, list[EgressInfo]]:
    """Those of this installation, by session."""
    return {
        session_id: infos
        for session_id, infos in by_session(active).items()
        if paths.instance_of(session_id) == ctx.instance
    }


async def _stop(livekit: LiveKit, info: EgressInfo) -> bool:
    log.warning("egress_reaped", egress=info.egress_id, room=info.room_name)
    try:
        await livekit.stop(info.egress_id)
    except AlreadyOver:
        return True
    except WorkerGone:
        return False
    return True
