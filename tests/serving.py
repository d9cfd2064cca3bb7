"""The application behind a real socket: what only a real connection shows, such as one cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from tests.waiting import wait_for


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The URL under which an application, within its lifespan already, answers on loopback."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await wait_for(lambda: server.started or task.done(), 10, what="uvicorn listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
