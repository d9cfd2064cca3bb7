"""The clock of a session, asked of LiveKit. The indexer waits for it, and knows no LiveKit."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from livekit.protocol.egress import EgressInfo

from app.buffer import clock_correction
from app.context import Context
from app.models import SessionRow, schema
from app.recording import egress_facts
from app.recording.egress_info import clock_of
from app.recording.livekit import LiveKit
from app.store import Store
from app.work import errands
from app.work.jobs import job, seconds

log = structlog.get_logger()


@job(errands.LEARN_CLOCK, timeout=seconds(15))
async def learn_clock(ctx: Context, livekit: LiveKit, session_id: str) -> None:
    """Notes a session's `started_at`, if LiveKit knows it by now. Raises Unavailable."""
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session_id})
    if row is None or row["egress_id"] is None or row["clock_exact"]:
        return
    info = await livekit.egress(row["egress_id"])
    if info is not None and clock_of(info) is not None:
        await egress_facts.note(ctx.store, info, datetime.now(UTC), session_id=session_id)
        await settle(ctx.store, row, info)


def stands_in(session: SessionRow) -> bool:
    """Whether media was indexed by another clock than that of the session's egress."""
    return session["clock_ns"] is not None and not session["clock_exact"]


async def settle(store: Store, session: SessionRow, info: EgressInfo) -> None:
    """Gives a session its egress's clock where another one stands in, if it is to be believed."""
    clock_ns = clock_of(info)
    if clock_ns is None or not stands_in(session):
        return
    if await clock_correction.is_credible(store, session, clock_ns, datetime.now(UTC)):
        await clock_correction.correct(store, session["_id"], clock_ns)
    else:
        log.warning("clock_not_believed", session=session["_id"], clock_ns=clock_ns)
