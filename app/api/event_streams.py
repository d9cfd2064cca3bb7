"""Streams of server-sent events: each caller holds at most so many at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from app.errors import TooManyRequests
from app.work.queue import Queue

HEARTBEAT_SECONDS = 15
RETRY_SECONDS = 5
LEASE_SECONDS = 45.0

log = structlog.get_logger()


class StreamSlots:
    """The streams that callers hold, in all processes together.

    A process that was killed holds a slot no longer than `lease_seconds`.
    """

    def __init__(self, queue: Queue, per_caller: int, lease_seconds: float = LEASE_SECONDS) -> None:
        self._queue, self._per_caller, self._lease_seconds = queue, per_caller, lease_seconds

    @asynccontextmanager
    async def taken(self, listener: str) -> AsyncIterator[None]:
        """A slot, until the block ends.

        Raises TooManyRequests if the caller has no more, RedisError if nobody can tell.
        """
        digest = hashlib.sha256(listener.encode()).hexdigest()[:32]
        held = self._queue.leases(f"streams:{digest}", self._lease_seconds)
        slot = secrets.token_hex(8)
        if await held.take(slot) >= self._per_caller:
            await held.give_back(slot)
            raise TooManyRequests(
                f"{listener!r} holds {self._per_caller} event streams: end one of them first",
                retry_after=RETRY_SECONDS,
                limit=self._per_caller,
            )
        async with held.renewed(slot, _missed):
            yield


def _missed(error: Exception) -> None:
    # the stream goes on; its slot is taken again as soon as Redis is back
    log.warning("stream_without_redis", error=repr(error))


class EventStream(EventSourceResponse):
    """An answer of events that holds a slot of `listener`'s while it goes on.

    `listener`: an identity; of who shows none what `Call.user` tells, wherever they are.
    """

    def __init__(
        self, events: AsyncIterator[ServerSentEvent], slots: StreamSlots, listener: str
    ) -> None:
        super().__init__(events, ping=HEARTBEAT_SECONDS)
        self._slots, self._listener = slots, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._slots.taken(self._listener):
            await super().__call__(scope, receive, send)
