"""Leases in Redis: who holds something now, over all processes, and a killed one not for long.

They end by Redis's own clock: those of the machines that ask may be minutes apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

BEATS = 4
"""How often a lease is renewed while it lasts."""
GIVE_BACK_SECONDS = 2.0

_NOW = """
local told = redis.call('TIME')
local now = told[1] + told[2] / 1e6
"""
# KEYS: the set. ARGV: a member, and for how many ms it is held. How many others are held.
_TAKE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2] / 1000, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1]) - 1
"""
# KEYS: the set.
_HELD = f"{_NOW} return redis.call('ZCOUNT', KEYS[1], now, '+inf')"


class Leases:
    """The members of a sorted set, each with the Unix time at which its lease ends."""

    def __init__(self, redis: Redis, key: str, seconds: float) -> None:
        self._redis, self._key, self._seconds = redis, key, seconds
        self._take, self._held = redis.register_script(_TAKE), redis.register_script(_HELD)

    async def take(self, member: str) -> int:
        """Takes a lease, or renews it; how many others are held."""
        return int(await self._take(keys=[self._key], args=[member, int(self._seconds * 1000)]))

    async def give_back(self, member: str) -> None:
        await self._redis.zrem(self._key, member)

    async def held(self) -> int:
        """How many are held now."""
        return int(await self._held(keys=[self._key]))

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
