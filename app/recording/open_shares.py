"""Shares that are not over: of a participant, or of everybody in a room."""

from __future__ import annotations

import asyncio

from app.context import Context
from app.models import Row
from app.models.schema import Buffer, EgressSession, Track
from app.store import Store
from app.work import errands, rounds
from app.work.jobs import job, seconds

_FIELDS = {"identity": 1, "video_sid": 1}


async def shares(store: Store, room_sid: str, identity: str | None = None) -> set[tuple[str, str]]:
    """(identity, video track) of each share whose track is live, whose session has a role or whose
    buffer is open. Chosen here, not by `distinct`: see app.store.
    """
    whose: Row = {"room_sid": room_sid} | ({} if identity is None else {"identity": identity})
    tracks, sessions, buffers = await asyncio.gather(
        store.rows(Track).find(whose, {"identity": 1, "video": 1, "live": 1}).to_list(None),
        store.rows(EgressSession).find(whose, _FIELDS | {"role": 1}).to_list(None),
        store.rows(Buffer).find(whose, _FIELDS | {"ended_at": 1}).to_list(None),
    )
    return {
        *((row["identity"], row["_id"]) for row in tracks if row["video"] and row["live"]),
        *((row["identity"], row["video_sid"]) for row in sessions if row["role"] is not None),
        *((row["identity"], row["video_sid"]) for row in buffers if row["ended_at"] is None),
    }


@job(errands.RECONCILE_ROOM, timeout=seconds(30))
async def reconcile_room(ctx: Context, room_sid: str) -> None:
    """Asks for a reconcile of everybody who shares, or is recorded, in a room."""
    await ctx.queue.begin(errands.RECONCILE_ROOM, room_sid)
    for identity in {who for who, _ in await shares(ctx.store, room_sid)}:
        with rounds.item(room=room_sid, identity=identity):
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity)
