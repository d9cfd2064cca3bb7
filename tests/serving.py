"""The application as its server runs it: within its lifespan, and behind a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.waiting import wait_for


class Running:
    """An application whose requests find its state, which a server would give them."""

    def __init__(self, app: ASGIApp, state: Mapping[str, Any]) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "state": dict(self.state)}, receive, send)


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[Running]:
    """The application within its lifespan."""
    async with app.router.lifespan_context(app) as state:
        yield Running(app, state or {})


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The URL under which an application, within its lifespan already, answers on loopback.

    For what only a real connection shows, such as one that is cut off.
    """
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await wait_for(lambda: server.started or task.done(), what="uvicorn listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
