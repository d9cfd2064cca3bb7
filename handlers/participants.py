"""When somebody, or a recorder, comes or goes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent
from pymongo.errors import PyMongoError

from app.access import presence
from app.context import Context
from app.recording import facts, foreign_text
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked, seconds

router = Router()

_END_TOLD_AFTER = seconds(2)
"""A recorder leaves up to 1.7 s before LiveKit tells that its egress has ended."""


def _of_somebody(event: WebhookEvent) -> bool:
    return not facts.is_recorder(event.participant)


def _of_a_recorder(event: WebhookEvent) -> bool:
    return facts.is_recorder(event.participant)


@router.on("participant_joined", when=_of_somebody)
async def participant_joined(event: WebhookEvent, ctx: Context) -> None:
    """When somebody joins, note it."""
    await facts.participant_joined(ctx.store, event.room, event.participant, datetime.now(UTC))


@router.on("participant_left", when=_of_somebody)
async def participant_left(event: WebhookEvent, ctx: Context) -> Asked:
    """When somebody leaves, note it and ask for the reconcile of what they share, if they did."""
    who = event.participant
    await facts.participant_left(ctx.store, event.room, who, facts.told_at(event.created_at))
    with suppress(PyMongoError):  # another end is another chance; this webhook has what it needs
        await presence.forget_earlier(ctx.store, event.room.sid, who.identity, who.sid)
    return errands.RECONCILE.of(event.room.sid, who.identity, if_begun=True)


@router.on("participant_connection_aborted", when=_of_somebody)
async def connection_aborted(event: WebhookEvent, ctx: Context) -> None:
    """When somebody's connection ends before it was one, note it."""
    await facts.connection_aborted(ctx.store, event.participant, facts.told_at(event.created_at))


@router.on("participant_left", "participant_connection_aborted", when=_of_a_recorder)
async def recorder_left(event: WebhookEvent, ctx: Context) -> Asked:
    """When a recorder leaves, ask for its sharer's reconcile, soon: its end is about to be told."""
    egress_id = foreign_text.ident(event.participant.identity, "identity")
    return errands.RECONCILE_EGRESS.of(egress_id, after=_END_TOLD_AFTER)
