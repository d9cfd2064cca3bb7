"""Forgets captures that ended long ago, and renditions that were withdrawn: nothing needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.captures import capture_limits
from app.clips import clip_renditions
from app.context import Context
from app.models.schema import Capture, Rendition
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
    now = datetime.now(UTC)
    long_over = {
        "finished_at": before(now - KEPT),
        "lease_until": None,
    }
    gone = await ctx.store.rows(Capture).delete_many(long_over)
    if gone.deleted_count:
        log.info("captures_forgotten", captures=gone.deleted_count)
    uncounted = clip_renditions.WITHDRAWN | {
        "accepted_at": before(now - capture_limits.LONGEST_PERIOD),
        "lease_until": None,
    }
    withdrawn = await ctx.store.rows(Rendition).delete_many(uncounted)
    if withdrawn.deleted_count:
        log.info("renditions_forgotten", renditions=withdrawn.deleted_count)
