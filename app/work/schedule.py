"""What runs again and again: each once per period, however many workers there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from redis.exceptions import RedisError

from app.work.queue import Queue

log = structlog.get_logger()


async def keep_asking(queue: Queue, periods_seconds: Mapping[str, float]) -> None:
    """Asks for each job once per its period, the first time at once. Runs until cancelled."""
    async with asyncio.TaskGroup() as group:
        for name, period in periods_seconds.items():
            group.create_task(_every(queue, name, period))


async def _every(queue: Queue, name: str, period_seconds: float) -> None:
    while True:
        try:
            await queue.once_per(period_seconds, name)
        except (RedisError, OSError) as error:
            # the next turn comes; a job missed while Redis is away does no harm
            log.warning("schedule_without_redis", job=name, error=repr(error))
        # looking more often than asking: whoever asked may have been killed
        await asyncio.sleep(min(period_seconds / 4, 5.0))
