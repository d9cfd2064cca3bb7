"""Streams of server-sent events: each caller holds at most so many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from app.errors import TooManyRequests

HEARTBEAT_SECONDS = 15
RETRY_SECONDS = 5


class Places:
    """The streams that callers hold in this process."""

    def __init__(self, per_caller: int) -> None:
        self._per_caller = per_caller
        self._held: Counter[str] = Counter()

    @contextmanager
    def taken(self, identity: str) -> Iterator[None]:
        """A place, until the block ends. Raises TooManyRequests if the caller has no more."""
        if self._held[identity] >= self._per_caller:
            raise TooManyRequests(
                f"{identity!r} holds {self._per_caller} event streams: end one of them first",
                retry_after=RETRY_SECONDS,
                limit=self._per_caller,
            )
        self._held[identity] += 1
        try:
            yield
        finally:
            self._held[identity] -= 1
            if not self._held[identity]:
                del self._held[identity]


class EventStream(EventSourceResponse):
    """An answer of events that holds a place of `identity`'s while it goes on."""

    def __init__(
        self, events: AsyncIterator[ServerSentEvent], places: Places, identity: str
    ) -> None:
        super().__init__(events, ping=HEARTBEAT_SECONDS)
        self._places, self._identity = places, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._places.taken(self._identity):
            await super().__call__(scope, receive, send)
