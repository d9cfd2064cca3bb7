"""When a track appears or goes."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.models import TrackSource
from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked, seconds

router = Router()

_TOGETHER_SECONDS = 0.5
"""A picture and its sound come 0.02 to 0.22 s after each other, if they come together."""


def _of_a_share(event: WebhookEvent) -> bool:
    return facts.is_share(event.track) and not facts.is_recorder(event.participant)


@router.on("track_published", when=_of_a_share)
async def track_published(event: WebhookEvent, ctx: Context) -> Asked | None:
    """When a share's track is published, note it and ask for its sharer's reconcile.

    That is at once with the second of picture and sound, and later where no second one comes.
    """
    noted = await facts.track_published(
        ctx.store, event.room, event.participant, event.track, datetime.now(UTC)
    )
    if not noted:
        return None
    return errands.RECONCILE.of(
        event.room.sid,
        event.participant.identity,
        after=seconds(min(ctx.settings.audio_wait_seconds, _TOGETHER_SECONDS)),
    )


@router.on("track_unpublished", when=_of_a_share)
async def track_unpublished(event: WebhookEvent, ctx: Context) -> Asked | None:
    """When a share's track is unpublished, note it; of a picture, ask for its sharer's reconcile.

    What records goes on without the sound.
    """
    at = facts.told_at(event.created_at)
    await facts.track_unpublished(ctx.store, event.room, event.participant, event.track, at)
    if event.track.source != TrackSource.SCREEN_SHARE:
        return None
    return errands.RECONCILE.of(event.room.sid, event.participant.identity)
