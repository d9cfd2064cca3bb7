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

log = structlog.get_logger()


def stand_in(
    entry: Entry, ticks: int, committed_at: datetime, session: SessionRow, now: datetime
) -> int:
    """`clock_ns` as far as its playlist tells, of a segment that begins at `ticks`. Pure.

    From EXT-X-PROGRAM-DATE-TIME, if it is of the session's time; else from the instant at which the
    segment was committed.
    """
    told = entry.start
    if told is not None and clock.is_credible(told, session["created_at"], now):
        return clock.anchored(told - clock.PROGRAM_DATE_TIME_LATE, ticks)
    length = timedelta(seconds=session["segment_seconds"])
    ended_at = committed_at - length - clock.PIPELINE
    return clock.anchored(ended_at - timedelta(seconds=entry.seconds), ticks)


class SessionClock:
    """`clock_ns` of one session, as of the last look at its row."""

    def __init__(self, ctx: Context, session: SessionRow) -> None:
        self._ctx = ctx
        self._session = session
        self._session_id: str = session["_id"]
        self.clock_ns: int | None = None
        self.exact = False
        self.update(session)

    def update(self, session: SessionRow) -> None:
        """Takes over what the session's row says."""
        self.clock_ns = session["clock_ns"]
        self.exact = session["clock_exact"]

    async def of(self, entry: Entry, ticks: int, committed_at: datetime) -> int:
        """The clock, for a segment that begins at `ticks`.

        If none is known yet, the worker asks LiveKit for the egress's own. After WAIT_SECONDS what
        the playlist tells stands in until that comes.
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
        now = datetime.now(UTC)
        if entry.start is not None and abs(entry.start - now) > clock.SKEW:
            off_seconds = round((entry.start - now).total_seconds())
            log.warning("egress_clock_off", session=self._session_id, seconds=off_seconds)
        guess = stand_in(entry, ticks, committed_at, self._session, now)
        await self._ctx.store.rows(EgressSession).update_one(
            {"_id": self._session_id, "clock_ns": None},
            {"$set": {"clock_ns": guess, "clock_exact": False}},
        )
        log.warning("clock_stands_in", session=self._session_id, wait_seconds=WAIT_SECONDS)
        found = await self._look()
        return found if found is not None else guess

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
