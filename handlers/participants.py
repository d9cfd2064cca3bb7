"""When somebody, or a recorder, comes or goes."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.webhooks.router import Router
from app.work import errands

router = Router()


def _of_somebody(event: WebhookEvent) -> bool:
    return not facts.is_recorder(event.participant)


def _of_a_recorder(event: WebhookEvent) -> bool:
    return facts.is_recorder(event.participant)


@router.on("participant_joined", when=_of_somebody)
async def participant_joined(event: WebhookEvent, ctx: Context) -> None:
    """When somebody joins, note it."""
    await facts.participant_joined(ctx.store, event.room, event.participant, datetime.now(UTC))


@router.on("participant_left", "participant_connection_aborted", when=_of_somebody)
async def participant_left(event: WebhookEvent, ctx: Context) -> None:
    """When somebody leaves, note it and ask for the reconcile of what they still share."""
    await facts.participant_left(ctx.store, event.room, event.participant, datetime.now(UTC))
    if await facts.is_sharing(ctx.store, event.participant):
        await ctx.queue.ask(errands.RECONCILE, event.room.sid, event.participant.identity)


@router.on("participant_left", "participant_connection_aborted", when=_of_a_recorder)
async def recorder_left(event: WebhookEvent, ctx: Context) -> None:
    """When a recorder leaves, ask for the reconcile of its room."""
    await ctx.queue.ask(errands.RECONCILE_ROOM, event.room.sid)
