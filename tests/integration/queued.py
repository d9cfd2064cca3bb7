"""What stands in Redis, for tests that look behind the queue."""

from __future__ import annotations

import json

from redis.asyncio import Redis

from app.context import Context
from app.work import redis_clients


def redis_of(ctx: Context) -> Redis:
    """A client of a test's own: `async with redis_of(ctx) as redis`."""
    return redis_clients.client(ctx.settings.redis_url)


async def queued(ctx: Context, errand: str = "") -> int:
    """How many jobs the queue holds; of an errand, where its name is given."""
    async with redis_of(ctx) as redis:
        names = await redis.zrange("replay:queue", 0, -1)
    return sum(name.decode().startswith(errand) for name in names)


async def asked_for(ctx: Context) -> list[tuple[str, ...]]:
    """The arguments of the jobs in the queue, in the order in which they are to begin."""
    async with redis_of(ctx) as redis:
        names = await redis.zrange("replay:queue", 0, -1)
        jobs = [await redis.get(f"arq:job:{name.decode()}") for name in names]
    return [tuple(json.loads(job)["a"]) for job in jobs if job is not None]


async def empty_redis(ctx: Context) -> None:
    """Forgets jobs, pulses, everything."""
    async with redis_of(ctx) as redis:
        await redis.flushdb()
