"""The pace of a session's egress: measured while its segments are indexed, and told if it fails."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from app.context import Context
from app.indexing.keeping_up import KeepingUp
from app.models import SegmentRow, SegmentState, SessionRow
from app.models.schema import EgressSession
from app.work import errands

_OURS = 0.5
"""Of a segment's length an indexer may take for what a look has found: with more, it is the one who
is slow, or its disk, which as a rule is egress's."""

log = structlog.get_logger()


class EgressPace:
    """Says in a session's row whether its egress keeps up."""

    def __init__(self, ctx: Context, session: SessionRow) -> None:
        self._ctx = ctx
        self._session_id = session["_id"]
        self._is_told = session["behind_at"] is not None
        self._measure = KeepingUp()

    def unchanged(self, at: float) -> None:
        """At this instant, `time.monotonic()`, nothing was there but what is indexed."""
        self._measure.absent(at)

    def indexed(self, row: SegmentRow) -> None:
        """A segment is indexed, after those that came before it."""
        if row["state"] != SegmentState.QUARANTINED:  # its times are its own
            self._measure.came(row["end_ticks"])

    def lost(self) -> None:
        """We could not read in time."""
        self._measure.restart()

    async def looked(self, session: SessionRow, at: float) -> None:
        """All that a look has found is indexed, which began then. Raises PyMongoError."""
        records = session["active_at"] is not None and session["ended_at"] is None
        if not records or session["stop_sent_at"] is not None:
            self._measure.restart()  # the next egress of its share has begun, or none is wanted
            return
        self._measure.absent(at)
        if time.monotonic() - at > _OURS * session["segment_seconds"]:
            self._measure.slow()
        if self._measure.keeps_up if self._is_told else self._measure.is_behind:
            await self._tell(session, is_behind=not self._is_told)

    async def _tell(self, session: SessionRow, *, is_behind: bool) -> None:
        behind_at = datetime.now(UTC) if is_behind else None
        rows = self._ctx.store.rows(EgressSession)
        await rows.update_one({"_id": self._session_id}, {"$set": {"behind_at": behind_at}})
        self._is_told = is_behind
        if not is_behind:
            log.info("egress_keeps_up", session=self._session_id)
            return
        late_seconds = round(self._measure.late_seconds, 1)
        log.warning("egress_behind", session=self._session_id, late_seconds=late_seconds)
        try:
            await self._ctx.queue.ask(errands.RECONCILE, session["room_sid"], session["identity"])
        except RedisError as error:  # the next survey asks for it
            log.warning("reconcile_not_queued", session=self._session_id, error=repr(error))
