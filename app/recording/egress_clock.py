"""The clock of a session, asked of LiveKit. The indexer waits for it, and knows no LiveKit."""

from __future__ import annotations

from datetime import UTC, datetime

from app.context import Context
from app.models import schema
from app.recording import facts
from app.recording.egress_info import clock_of
from app.recording.livekit import LiveKit
from app.work import errands
from app.work.jobs import job, seconds


@job(errands.LEARN_CLOCK, timeout=seconds(15))
async def learn_clock(ctx: Context, livekit: LiveKit, session_id: str) -> None:
    """Notes a session's `started_at`, if LiveKit knows it by now. Raises Unavailable."""
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session_id})
    if row is None or row["egress_id"] is None:
        return
    info = await livekit.egress(row["egress_id"])
    if info is not None and clock_of(info) is not None:
        await facts.egress(ctx.store, info, datetime.now(UTC), session_id=session_id)
