"""Answers of other servers: no more is read than is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.work import outside_answers

BLOCK = b"x" * 10_000


class Told(httpx.AsyncByteStream):
    """A body that never ends: a block every so many seconds. `blocks`: how many were read."""

    def __init__(self, pause_seconds: float = 0.0) -> None:
        self.blocks = 0
        self._pause_seconds = pause_seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.blocks += 1
            yield BLOCK
            await asyncio.sleep(self._pause_seconds)


class Short(httpx.AsyncByteStream):
    """A body of one block."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"why"


def client(body: httpx.AsyncByteStream, status: int = 200) -> httpx.AsyncClient:
    headers = {"Content-Encoding": "gzip"}  # whatever it says: nothing is unpacked
    answer = httpx.Response(status, headers=headers, stream=body)
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))


async def test_an_answer_without_an_end_is_read_to_what_is_looked_at() -> None:
    told = Told()
    async with client(told) as sender:
        answer = await outside_answers.ask(sender, "POST", "http://chat/hook", seconds=60)
    assert answer.is_success
    assert len(answer.beginning) == outside_answers.MOST_BYTES
    assert told.blocks <= outside_answers.MOST_BYTES // len(BLOCK) + 1


async def test_an_answer_that_comes_in_drops_has_its_time() -> None:
    async with client(Told(pause_seconds=3600)) as sender:
        with pytest.raises(TimeoutError):
            await outside_answers.ask(sender, "GET", "http://livekit/", seconds=0.05)


@pytest.mark.parametrize(("status", "is_success"), [(204, True), (302, False), (400, False)])
async def test_an_answer_is_what_it_says(status: int, is_success: bool) -> None:
    async with client(Short(), status) as sender:
        answer = await outside_answers.ask(sender, "GET", "http://chat/", seconds=60)
    assert (answer.status, answer.beginning, answer.is_success) == (status, b"why", is_success)
