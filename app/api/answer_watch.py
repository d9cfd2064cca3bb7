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

from app.api.streamed_answers import PassedOn
from app.work.log_lines import LogLines

LOOK_SECONDS = 1.0
"""How long an answer is sent before it is looked again whether what let its reader in has ended."""

MayGoOn = Callable[[], Awaitable[bool]]
"""Whether an answer may go on."""

_lines = LogLines("answers_without_lines", per_minute=6)
"""Each answer that is being sent would have one for each look, while the store is away."""

log = structlog.get_logger()


class Ended(Exception):
    """What let a reader in has ended while they were answered: the answer breaks off."""


def watched(streamed: StreamingResponse, may_go_on: MayGoOn) -> WatchedAnswer:
    """What is streamed, as long as it may go on. One that is watched already has one look more."""
    if isinstance(streamed, WatchedAnswer):
        return WatchedAnswer(streamed.unwatched, *streamed.looks, may_go_on)
    return WatchedAnswer(streamed, may_go_on)


class WatchedAnswer(PassedOn):
    """A streamed answer that breaks off once one of its looks gives False. Raises Ended then.

    It goes on while nobody can tell, as where the store is away.
    """

    def __init__(self, unwatched: StreamingResponse, *looks: MayGoOn) -> None:
        super().__init__(unwatched)
        self.unwatched = unwatched
        self.looks = looks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(None) as bound:
                watch = asyncio.create_task(self._watch(bound))
                try:
                    await super().__call__(scope, receive, send)
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
            await asyncio.sleep(LOOK_SECONDS)
            for look in self.looks:
                if not await _goes_on(look):
                    bound.reschedule(asyncio.get_running_loop().time())
                    return


async def _goes_on(look: MayGoOn) -> bool:
    """What a look gives; True if it can't tell."""
    try:
        return await look()
    except PyMongoError as error:
        if _lines.take("answer_without_store"):
            log.warning("answer_without_store", error=str(error)[:300])
    except Exception:  # whatever it is: a watch that ended would let all go on
        if _lines.take("answer_without_look"):
            log.exception("answer_without_look")
    return True
