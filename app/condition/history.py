"""The service's numbers over the last hours and days, for plots.

There is a sample per STEP_SECONDS for RETENTION, and one per COARSE_SECONDS for COARSE_RETENTION.
A sample's id is its instant: however many workers take samples, there is one of each.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from app.condition import forecast, process_counters
from app.condition.measures import Measures
from app.context import Context
from app.models import Row
from app.models.schema import Sample
from app.storage.free_space import free_bytes
from app.work.jobs import job, seconds

STEP_SECONDS = 15
RETENTION = timedelta(hours=6)
COARSE_SECONDS = 900
COARSE_RETENTION = timedelta(days=7)
_COARSE = {"$mod": [COARSE_SECONDS, 0]}


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
        await samples.delete_many({"_id": {"$lt": _instant(now - RETENTION), "$not": _COARSE}})
        await samples.delete_many({"_id": {"$lt": _instant(now - COARSE_RETENTION)}})
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


def step_seconds(minutes: float) -> int:
    """From one sample to the next, where the last minutes are asked for."""
    return STEP_SECONDS if timedelta(minutes=minutes) <= RETENTION else COARSE_SECONDS


async def read(ctx: Context, minutes: float, now: datetime) -> list[Row]:
    """The samples of the last minutes, oldest first: fields of Sample, and `at`."""
    span: Row = {"$gt": _instant(now - timedelta(minutes=minutes)), "$lte": _instant(now)}
    if step_seconds(minutes) == COARSE_SECONDS:
        span |= _COARSE
    rows = await ctx.store.rows(Sample).find({"_id": span}).sort("_id", 1).to_list(None)
    return [row | {"at": datetime.fromtimestamp(row["_id"], UTC)} for row in rows]


async def disk_full_at(ctx: Context, now: datetime, free_now: int | None) -> datetime | None:
    """When the disk is full, if it goes on as in the last hours; None: not within a week.

    `free_now`: its free bytes, None if they can't be told.
    """
    since = _instant(now - RETENTION)
    which: Row = {"_id": {"$gt": since, "$lte": _instant(now), **_COARSE}}
    found = ctx.store.rows(Sample).find(which, {"free_disk_bytes": 1}).sort("_id", 1)
    points = [(float(row["_id"]), row["free_disk_bytes"]) async for row in found]
    if free_now is not None:
        points.append((now.timestamp(), free_now))
    at = forecast.falls_to(ctx.settings.free_space_min_bytes, points)
    if at is None or at > (now + COARSE_RETENTION).timestamp():
        return None
    return datetime.fromtimestamp(max(at, now.timestamp()), UTC)


def _instant(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS * STEP_SECONDS
