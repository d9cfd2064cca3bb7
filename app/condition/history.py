"""The service's numbers over the last hours, one sample per STEP_SECONDS, for plots.

A sample's id is its instant: however many workers take samples, there is one of each.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from app.condition import process_counters
from app.condition.measures import Measures
from app.context import Context
from app.models import Row
from app.models.schema import Sample
from app.storage.free_space import free_bytes
from app.work.jobs import job, seconds

STEP_SECONDS = 15
RETENTION = timedelta(hours=6)


class Sampler:
    """Takes samples for one worker process."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._measures = Measures(ctx, 0.0)
        self._indexed: tuple[float, int] | None = None

    async def take(self) -> bool:
        """Takes the sample of this instant. False if it is there, or numbers cost too much now."""
        samples = self.ctx.store.rows(Sample)
        now = datetime.now(UTC)
        if await samples.find_one({"_id": _instant(now)}, {"_id": 1}) is not None:
            return False
        measurement = await self._measures.read()
        taken = await self.ctx.store.create(
            Sample(
                id=_instant(measurement.at),
                free_disk_bytes=await free_bytes(self.ctx.settings.media_root),
                buffered_bytes=measurement.buffered_bytes,
                clips_bytes=measurement.clips_bytes,
                media_lag_seconds=measurement.media_lag_seconds,
                index_lag_seconds=await self._index_lag(),
                active_sessions=measurement.active_sessions,
            )
        )
        await samples.delete_many({"_id": {"$lt": _instant(now - RETENTION)}})
        return taken

    async def _index_lag(self) -> float | None:
        before, now = self._indexed, await asyncio.to_thread(process_counters.index_lag)
        self._indexed = now
        if before is None or now[1] <= before[1]:
            return None
        return max(0.0, (now[0] - before[0]) / (now[1] - before[1]))


# looking more often than samples are due, so that none is left out
@job("take_sample", every=seconds(STEP_SECONDS / 3), timeout=seconds(30))
async def take_sample(sampler: Sampler) -> None:
    """Takes the sample of this instant, if it is not there."""
    await sampler.take()


async def read(ctx: Context, minutes: float, now: datetime) -> list[Row]:
    """The samples of the last minutes, oldest first: fields of Sample, and `at`."""
    since = _instant(now - timedelta(minutes=minutes))
    samples = ctx.store.rows(Sample).find({"_id": {"$gt": since, "$lte": _instant(now)}})
    rows = await samples.sort("_id", 1).to_list(None)
    return [row | {"at": datetime.fromtimestamp(row["_id"], UTC)} for row in rows]


def _instant(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS * STEP_SECONDS
