"""When somebody comes or goes."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.routing import router


@router.on("participant_joined")
async def participant_joined(event: WebhookEvent, ctx: Context) -> None:
    """When somebody joins, note it."""
    if not facts.is_recorder(event.participant):
        await facts.participant_joined(ctx.store, event.room, event.participant, datetime.now(UTC))


@router.on("participant_left", "participant_connection_aborted")
async def participant_left(event: WebhookEvent, ctx: Context) -> None:
    """When somebody leaves, note it and ask for their reconcile; of a recorder, for its room's."""
    if facts.is_recorder(event.participant):
        await ctx.queue.reconcile_room(event.room.sid)
    else:
        await facts.participant_left(ctx.store, event.room, event.participant, datetime.now(UTC))
        await ctx.queue.reconcile(event.room.sid, event.participant.identity)
