"""Answers that are sent for long, which end with what let their reader in.

How slowly they are read makes no difference: a reader that takes a byte a minute would have for
days what was ended or deleted, and its place on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog
from pymongo.errors import PyMongoError
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

log = structlog.get_logger()


class Ended(Exception):
    """What let a reader in has ended while they were answered: the answer breaks off."""


class WatchedAnswer(StreamingResponse):
    """A streamed answer that breaks off once `may_go_on` gives False. Raises Ended then.

    It goes on while nobody can tell, as where the store is away.
    """

    def __init__(
        self,
        streamed: StreamingResponse,
        may_go_on: Callable[[], Awaitable[bool]],
        every_seconds: float,
    ) -> None:
        self.body_iterator = streamed.body_iterator
        self.status_code = streamed.status_code
        self.background = None
        self.raw_headers = streamed.raw_headers
        self._streamed = streamed
        self._may_go_on = may_go_on
        self._every_seconds = every_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(None) as bound:
                watch = asyncio.create_task(self._watch(bound))
                try:
                    await self._streamed(scope, receive, send)
                finally:
                    watch.cancel()
        except TimeoutError:
            if not bound.expired():
                raise
            raise Ended("what let the reader in has ended meanwhile") from None
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()

    async def _watch(self, bound: asyncio.Timeout) -> None:
        """Ends the answer as soon as it may not go on: whoever sends waits for its reader."""
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                if not await self._may_go_on():
                    bound.reschedule(asyncio.get_running_loop().time())
                    return
            except PyMongoError as error:
                log.warning("answer_without_store", error=str(error)[:300])
            except Exception:  # whatever it is: a watch that ended would let all go on
                log.exception("answer_without_look")
