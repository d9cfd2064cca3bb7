"""Leases in Redis: who holds something now, over all processes, and a killed one not for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

BEATS = 4
"""How often a lease is renewed while it lasts."""
GIVE_BACK_SECONDS = 2.0


class Leases:
    """The members of a sorted set, each with the Unix time at which its lease ends."""

    def __init__(self, redis: Redis, key: str, seconds: float) -> None:
        self._redis, self._key, self._seconds = redis, key, seconds

    async def take(self, member: str) -> int:
        """Takes a lease, or renews it; how many others are held."""
        now = time.time()
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zremrangebyscore(self._key, "-inf", now)
            pipe.zadd(self._key, {member: now + self._seconds})
            pipe.pexpire(self._key, int(self._seconds * 1000))
            pipe.zcard(self._key)
            return int((await pipe.execute())[-1]) - 1

    async def give_back(self, member: str) -> None:
        await self._redis.zrem(self._key, member)

    async def held(self) -> int:
        """How many are held now."""
        return int(await self._redis.zcount(self._key, time.time(), "+inf"))

    @asynccontextmanager
    async def renewed(
        self, member: str, on_failure: Callable[[Exception], object]
    ) -> AsyncIterator[None]:
        """Takes a lease, renews it while the block goes on, and gives it back.

        While Redis is away the block goes on; `on_failure` hears of it.
        """
        renewing = asyncio.create_task(self._renew(member, on_failure), name=f"renew {self._key}")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            try:
                async with asyncio.timeout(GIVE_BACK_SECONDS):
                    await self.give_back(member)
            except (RedisError, OSError) as error:  # then it ends by itself
                on_failure(error)

    async def _renew(self, member: str, on_failure: Callable[[Exception], object]) -> None:
        while True:
            try:
                await self.take(member)
            except (RedisError, OSError) as error:
                on_failure(error)
            await asyncio.sleep(self._seconds / BEATS)
