"""Streams of server-sent events: each caller holds at most so many at once."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from app.errors import TooManyRequests

HEARTBEAT_SECONDS = 15
RETRY_SECONDS = 5
LEASE_SECONDS = 45.0

log = structlog.get_logger()


class Places:
    """The streams that callers hold, in all processes together.

    Each place is a member of its caller's sorted set in Redis, with the Unix time at which its
    lease ends: a process that was killed holds it no longer than `lease_seconds`.
    """

    def __init__(self, redis: Redis, per_caller: int, lease_seconds: float = LEASE_SECONDS) -> None:
        self._redis, self._per_caller, self._lease_seconds = redis, per_caller, lease_seconds

    @asynccontextmanager
    async def taken(self, identity: str) -> AsyncIterator[None]:
        """A place, until the block ends.

        Raises TooManyRequests if the caller has no more, RedisError if nobody can tell.
        """
        key = f"replay:streams:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
        place = secrets.token_hex(8)
        if await self._take(key, place) >= self._per_caller:
            await self._redis.zrem(key, place)
            raise TooManyRequests(
                f"{identity!r} holds {self._per_caller} event streams: end one of them first",
                retry_after=RETRY_SECONDS,
                limit=self._per_caller,
            )
        renewing = asyncio.create_task(self._renew(key, place))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(RedisError):  # then its lease ends it
                await self._redis.zrem(key, place)

    async def _take(self, key: str, place: str) -> int:
        """Takes a place, or renews its lease; how many others are held."""
        now = time.time()
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zremrangebyscore(key, "-inf", now)
            pipe.zadd(key, {place: now + self._lease_seconds})
            pipe.pexpire(key, int(self._lease_seconds * 1000))
            pipe.zcard(key)
            return int((await pipe.execute())[-1]) - 1

    async def _renew(self, key: str, place: str) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._take(key, place)
            except RedisError as error:
                # the stream goes on; its place is taken again as soon as Redis is back
                log.warning("stream_without_redis", error=repr(error))


class EventStream(EventSourceResponse):
    """An answer of events that holds a place of `identity`'s while it goes on."""

    def __init__(
        self, events: AsyncIterator[ServerSentEvent], places: Places, identity: str
    ) -> None:
        super().__init__(events, ping=HEARTBEAT_SECONDS)
        self._places, self._identity = places, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._places.taken(self._identity):
            await super().__call__(scope, receive, send)
