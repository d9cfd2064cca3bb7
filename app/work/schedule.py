"""What runs again and again: each once per period, however many workers there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.settings import Settings
from app.work import store_troubles
from app.work.jobs import Job, seconds
from app.work.queue import Queue

LOOK = seconds(5)

log = structlog.get_logger()


async def keep_asking(queue: Queue, settings: Settings, jobs: Iterable[Job[..., Any]]) -> None:
    """Asks for each job once per its period, the first time at once. Runs until cancelled."""
    recurring = tuple(jobs)
    async with asyncio.TaskGroup() as group:
        group.create_task(_publish(queue, settings, recurring))
        for job in recurring:
            group.create_task(_every(queue, settings, job))


async def _publish(queue: Queue, settings: Settings, jobs: Sequence[Job[..., Any]]) -> None:
    while True:
        try:
            await queue.timetable().publish(jobs, settings, datetime.now(UTC))
        except (RedisError, OSError) as error:
            if store_troubles.note(error) is None:
                log.warning("timetable_without_redis", error=repr(error))
        # again and again: Redis may have lost it
        await asyncio.sleep(LOOK.total_seconds())


async def _every(queue: Queue, settings: Settings, job: Job[..., Any]) -> None:
    period = job.period(settings)
    while True:
        try:
            await queue.once_per(period, job.errand)
        except (RedisError, OSError) as error:
            # the next turn comes; a job missed while Redis is away does no harm
            if store_troubles.note(error) is None:
                log.warning("schedule_without_redis", job=job.errand.name, error=repr(error))
        # looking more often than asking: a worker that asked may have been killed
        await asyncio.sleep(min(period / 4, LOOK).total_seconds())
