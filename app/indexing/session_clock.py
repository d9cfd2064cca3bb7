"""The clock of a session that is being indexed: asked for, waited for, else stood in for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from app.buffer import clock
from app.context import Context
from app.indexing.playlist import Entry
from app.models import SegmentRow, SessionRow
from app.models.schema import EgressSession, Segment
from app.work import errands

WAIT_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_CLOSE_LAG = timedelta(seconds=1.3)
"""A segment is complete on disk this long after its last frame, and a segment's length."""

log = structlog.get_logger()


class SessionClock:
    """`clock_ns` of one session, as of the last look at its row."""

    def __init__(self, ctx: Context, session: SessionRow) -> None:
        self._ctx = ctx
        self._session_id: str = session["_id"]
        self._began: datetime = session["created_at"]
        self.clock_ns: int | None = None
        self.exact = False
        self.update(session)

    def update(self, session: SessionRow) -> None:
        """Takes over what the session's row says."""
        self.clock_ns = session["clock_ns"]
        self.exact = session["clock_exact"]

    async def of(self, entry: Entry, ticks: int, committed_at: datetime) -> int:
        """The clock, for a segment that begins at `ticks`.

        If none is known yet, the worker asks LiveKit for the egress's own. After WAIT_SECONDS
        EXT-X-PROGRAM-DATE-TIME stands in until that comes, if it is one of the session's time.
        """
        if self.exact and self.clock_ns is not None:
            return self.clock_ns
        if (known := await self._look()) is not None:
            return known
        try:
            await self._ctx.queue.ask(errands.LEARN_CLOCK, self._session_id)
        except RedisError as error:
            log.warning("clock_not_asked_for", session=self._session_id, error=str(error))
        for _ in range(round(WAIT_SECONDS / _LOOK_SECONDS)):
            if (found := await self._look()) is not None:
                return found
            await asyncio.sleep(_LOOK_SECONDS)
        start = entry.start
        if start is None or not clock.is_credible(start, self._began, datetime.now(UTC)):
            start = committed_at - _CLOSE_LAG - timedelta(seconds=entry.seconds)
        await self._ctx.store.rows(EgressSession).update_one(
            {"_id": self._session_id, "clock_ns": None},
            {"$set": {"clock_ns": clock.stand_in(start, ticks), "clock_exact": False}},
        )
        log.warning("clock_stands_in", session=self._session_id, wait_seconds=WAIT_SECONDS)
        found = await self._look()
        return found if found is not None else clock.stand_in(start, ticks)

    async def recheck(self, row: SegmentRow) -> None:
        """Moves a segment's row that was inserted while its session's clock was being corrected."""
        if self.exact:
            return
        found = await self._look()
        if found is not None and row["start"] != clock.wall(found, row["start_ticks"]):
            await self._ctx.store.rows(Segment).update_one(
                {"_id": row["_id"]}, {"$set": clock.span(found, row)}
            )

    async def _look(self) -> int | None:
        row = await self._ctx.store.rows(EgressSession).find_one(
            {"_id": self._session_id}, {"clock_ns": 1, "clock_exact": 1}
        )
        if row is not None:
            self.update(row)
        return self.clock_ns
