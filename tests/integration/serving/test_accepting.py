"""Who has connected is let in, however many did before them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import uvloop
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.api.request_turns import RequestTurns
from app.serving import server
from app.settings import load
from tests.waiting import wait_for

CROWD, NEWCOMER, MANY = "127.0.1.1", "127.0.2.1", 200


def ask(port: int, peer: str) -> socket.socket:
    """A connection from an address, with a request on it."""
    line = socket.create_connection(("127.0.0.1", port), source_address=(peer, 0))
    line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return line


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_connects_last_does_not_wait_until_a_crowd_is_answered(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    begun: list[str] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["client"][0])
        await PlainTextResponse("hello")(scope, receive, send)

    async def connect_at_once() -> None:
        settings = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32)
        app = RequestTurns(answer, goes_first=lambda scope: False)
        guest = server.Guest(server.config(app, settings, lifespan="off"))
        with ExitStack() as open_lines:
            listener = socket.create_server(("127.0.0.1", 0), backlog=2 * MANY)
            port: int = listener.getsockname()[1]
            serving = asyncio.create_task(guest.serve_until_cancelled(listener))
            await wait_for(lambda: guest.started, what="it listens")
            for number in range(MANY + 1):  # the loop has no round meanwhile
                peer = CROWD if number < MANY else NEWCOMER
                open_lines.enter_context(ask(port, peer))
            await wait_for(lambda: NEWCOMER in begun, what="the newcomer has their turn")
            guest.should_exit = True
        await serving

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connect_at_once())
    assert begun.index(NEWCOMER) < MANY / 4
