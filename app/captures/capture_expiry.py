"""Forgets captures that ended long ago, and renditions that were withdrawn: nothing needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.captures import renditions
from app.context import Context
from app.models.schema import Capture
from app.store import before
from app.work.jobs import hours, job, seconds

KEPT = timedelta(days=7)
"""From a capture's end. Its Idempotency-Key holds for 24 h from its acceptance, which is before."""

log = structlog.get_logger()


@job("forget_captures", every=hours(1), timeout=seconds(90))
async def forget_captures(ctx: Context) -> None:
    """Deletes the rows of captures that ended a week ago and leave nothing to do.

    And of renditions that were withdrawn, once they count no longer.
    """
    long_over = {
        "finished_at": before(datetime.now(UTC) - KEPT),
        "lease_until": None,
    }
    gone = await ctx.store.rows(Capture).delete_many(long_over)
    if gone.deleted_count:
        log.info("captures_forgotten", captures=gone.deleted_count)
    await renditions.forget_withdrawn(ctx)
