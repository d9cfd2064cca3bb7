"""When each recurring job last had a whole round, and which of them are late.

The schedule writes the jobs down, out of the one table that it asks for them by; the worker writes
down their whole rounds. So a process that sees only Redis, as the API does, can tell what is late.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from app.settings import Settings
from app.work.jobs import Job

PERIODS = 3
"""A job is late when so many of its periods have passed since its last whole round."""
_DUE, _WHOLE = "replay:timetable", "replay:whole-rounds"


@dataclass(frozen=True)
class LateJob:
    """A job whose last whole round is too long ago."""

    name: str
    since_seconds: float
    every_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.name} is due every {self.every_seconds:g} s, and had its last whole round "
            f"{self.since_seconds:.0f} s ago"
        )


class Timetable:
    """Raises redis.exceptions.RedisError when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(
        self, jobs: Iterable[Job[..., Any]], settings: Settings, now: datetime
    ) -> None:
        """Writes down which jobs recur. A new one has until PERIODS of its periods from now."""
        due = {job.errand.name: job for job in jobs}
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hkeys(_DUE)
            (known,) = await pipe.execute()
            if gone := [name for each in known if (name := each.decode()) not in due]:
                pipe.hdel(_DUE, *gone)
                pipe.hdel(_WHOLE, *gone)
            for name, job in due.items():
                period = job.period(settings)
                seconds = [period.total_seconds(), patience(period, job.timeout).total_seconds()]
                pipe.hset(_DUE, name, json.dumps(seconds))
                pipe.hsetnx(_WHOLE, name, str(now.timestamp()))
            await pipe.execute()

    async def whole(self, name: str, now: datetime) -> None:
        """Notes that a job has just had a whole round."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_WHOLE, name, str(now.timestamp()))
            await pipe.execute()

    async def late(self, now: datetime) -> list[LateJob]:
        """The jobs that are late. None of them if no worker has ever run here."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(_DUE)
            pipe.hgetall(_WHOLE)
            due, whole = await pipe.execute()
        found: list[LateJob] = []
        for name, told in sorted(due.items()):
            every_seconds, patience_seconds = json.loads(told)
            since_seconds = now.timestamp() - float(whole.get(name, 0))
            if since_seconds > patience_seconds:
                found.append(LateJob(name.decode(), since_seconds, every_seconds))
        return found


def patience(period: timedelta, timeout: timedelta) -> timedelta:
    """How long a job may go without a whole round: a round may take as long as its timeout."""
    return max(PERIODS * period, timeout)
