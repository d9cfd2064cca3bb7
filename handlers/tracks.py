"""When a track appears or goes."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked

router = Router()


def _of_a_share(event: WebhookEvent) -> bool:
    return facts.is_share(event.track) and not facts.is_recorder(event.participant)


@router.on("track_published", when=_of_a_share)
async def track_published(event: WebhookEvent, ctx: Context) -> Asked:
    """When a share's track is published, note it and ask for its sharer's reconcile."""
    await facts.track_published(
        ctx.store, event.room, event.participant, event.track, datetime.now(UTC)
    )
    return errands.RECONCILE.of(event.room.sid, event.participant.identity)


@router.on("track_unpublished", when=_of_a_share)
async def track_unpublished(event: WebhookEvent, ctx: Context) -> Asked:
    """When a share's track is unpublished, note it and ask for its sharer's reconcile."""
    await facts.track_unpublished(
        ctx.store, event.room, event.participant, event.track, datetime.now(UTC)
    )
    return errands.RECONCILE.of(event.room.sid, event.participant.identity)
