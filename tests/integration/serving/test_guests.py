"""Servers within a process: what one of them leaves behind when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from app.processes.supervisor import listen
from app.serving.server import Guest
from app.serving.streaming_guest import StreamingGuest
from tests.plain_http import plain_client
from tests.waiting import wait_for

PATIENCE_SECONDS = 30


async def events(_: Request) -> EventSourceResponse:
    async def made() -> AsyncIterator[ServerSentEvent]:
        for name in ("first", "second"):
            yield ServerSentEvent(event=name)
            await asyncio.sleep(0.05)  # what ends a stream at its beginning has had its turn
        await asyncio.sleep(3600)

    return EventSourceResponse(made())


@asynccontextmanager
async def streaming(kind: type[Guest]) -> AsyncIterator[asyncio.Task[None]]:
    """A server of that kind, while the block runs; its stream's first two events were seen."""
    app = Starlette(routes=[Route("/events", events)])
    server = kind(uvicorn.Config(app, log_config=None, ws="none"))
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/events"
    serving = asyncio.create_task(server.serve_until_cancelled(listener))
    await wait_for(lambda: server.started)
    async with (
        plain_client() as client,
        client.stream("GET", url) as answer,
    ):
        lines = answer.aiter_lines()
        for name in ("first", "second"):
            while (line := await anext(lines)) != f"event: {name}":
                assert not line.startswith("event:"), line
        yield serving


async def ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(serving, PATIENCE_SECONDS)


@pytest.mark.parametrize("kind", [Guest, StreamingGuest])
async def test_the_streams_of_the_next_one_go_on(kind: type[Guest]) -> None:
    async with streaming(kind) as first:
        pass
    await ended(first)
    async with streaming(StreamingGuest) as second:
        pass
    await ended(second)


async def test_it_ends_while_somebody_follows() -> None:
    async with streaming(StreamingGuest) as serving:
        await ended(serving)
