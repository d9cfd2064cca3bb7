"""The clock of a session that is being indexed, kept right: ours may be set meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from app.buffer import clock_correction
from app.indexing.arrivals import Arrivals
from app.models import SessionRow
from app.models.schema import EgressSession
from app.store import Store
from app.work.set_clock import SetClock

_JUST_NOW = timedelta(seconds=10)

log = structlog.get_logger()


class ClockKeeper:
    """Moves one session along with our clock; `update` is told of its row then."""

    def __init__(
        self,
        store: Store,
        segment_seconds: int,
        update: Callable[[SessionRow], None],
        set_clock: SetClock | None = None,
    ) -> None:
        self._store, self._update = store, update
        self._set_clock = set_clock or SetClock()
        self._arrivals = Arrivals(segment_seconds)

    def altered(self) -> None:
        """Its row has another clock."""
        self._arrivals.anew()

    async def looked(self, session: SessionRow) -> timedelta:
        """Its playlists were looked at. Returns how far our clock was set since the last time."""
        step = self._set_clock.step()
        await self._move(session, step)
        return step

    async def came(self, session: SessionRow, end: datetime, committed_at: datetime) -> None:
        """A segment that ended at `end` was indexed, the last one that is listed."""
        now = datetime.now(UTC)
        if now - committed_at < _JUST_NOW:
            await self._move(session, self._arrivals.note(end, now))

    async def _move(self, session: SessionRow, step: timedelta) -> None:
        if not step:
            return
        sessions = self._store.rows(EgressSession)
        row = await sessions.find_one({"_id": session["_id"]})
        if row is None or row["clock_ns"] is None:
            return
        seconds = round(-step.total_seconds())
        log.warning("egress_clock_off", session=session["_id"], seconds=seconds)
        await clock_correction.move(self._store, row, step)
        if (moved := await sessions.find_one({"_id": session["_id"]})) is not None:
            self._update(moved)
