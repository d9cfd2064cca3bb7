"""When a room begins or ends."""

from __future__ import annotations

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked

router = Router()


@router.on("room_started")
async def room_started(event: WebhookEvent, ctx: Context) -> None:
    """When a room starts, note it with its community."""
    await facts.room_started(ctx.store, event.room)


@router.on("room_finished")
async def room_finished(event: WebhookEvent, ctx: Context) -> Asked:
    """When a room is finished, note it and ask for a reconcile of all who shared in it."""
    await facts.room_finished(ctx.store, event.room, facts.told_at(event.created_at))
    return errands.RECONCILE_ROOM.of(event.room.sid)
