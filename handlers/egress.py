"""When an egress starts, changes or ends."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.recording import egress_facts
from app.webhooks.router import Router
from app.work import errands
from app.work.jobs import Asked

router = Router()


def _is_telling(event: WebhookEvent) -> bool:
    return egress_facts.is_telling(event.egress_info)


@router.on("egress_started", "egress_updated", "egress_ended", when=_is_telling)
async def egress_changed(event: WebhookEvent, ctx: Context) -> Asked | None:
    """When an egress of ours records, or has ended, note it and ask for its sharer's reconcile."""
    info = event.egress_info
    if not await egress_facts.note(ctx.store, info, datetime.now(UTC)):
        return None
    return errands.RECONCILE_EGRESS.of(info.egress_id)
