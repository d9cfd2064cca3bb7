"""What the rounds of a recurring job have not served, and in how many in a row.

A round that fails with one of many is a whole round all the same: that it is always the same one is
told by this. It stands in Redis, where a process that sees only that can read it.
"""

from __future__ import annotations

from collections.abc import Collection

from redis.asyncio import Redis


class UnservedItems:
    """The things of one job, by name. Raises redis.exceptions.RedisError if there is no answer."""

    def __init__(self, redis: Redis, job: str) -> None:
        self._redis, self._key = redis, f"replay:unserved:{job}"

    async def rounds(self) -> dict[str, int]:
        """By thing that was not served in the last round: in how many rounds in a row."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(self._key)
            (found,) = await pipe.execute()
        return {name.decode(): int(count) for name, count in found.items()}

    async def note(self, unserved: Collection[str]) -> None:
        """A round is over: these were not served, all others were, or are no more."""
        known = await self.rounds()
        if not known and not unserved:
            return
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._key)
            if unserved:
                counts = {name: known.get(name, 0) + 1 for name in unserved}
                pipe.hset(self._key, mapping=counts)
            await pipe.execute()

    async def served(self, name: str) -> None:
        """One of them was served after all."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._key, name)
            await pipe.execute()
