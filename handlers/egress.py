"""When an egress starts, changes or ends."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import facts
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked

router = Router()


@router.on("egress_started", "egress_updated", "egress_ended")
async def egress_changed(event: WebhookEvent, ctx: Context) -> Asked | None:
    """When an egress of ours changes, note it and ask for its sharer's reconcile."""
    session = await facts.egress(ctx.store, event.egress_info, datetime.now(UTC))
    if session is None:
        return None
    return errands.RECONCILE.of(session["room_sid"], session["identity"])
