"""The whole service in one process, for small machines: api, worker and indexer in one event loop.

The embedded stores stay processes of their own, and so does what reads strangers' media.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import structlog

from app import worker
from app.condition import pulses
from app.context import Context, opened
from app.indexing import indexer
from app.main import create_app
from app.models import ProcessRole
from app.processes import liveness
from app.processes.child import BackOff
from app.processes.stores import provided_stores, with_stores
from app.processes.supervisor import listen
from app.serving.server import STOP_SECONDS
from app.serving.server import config as server_config
from app.serving.streaming_guest import StreamingGuest
from app.settings import Settings
from app.tracing import collector
from app.work.troubles import Troubles
from handlers import router

log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Works until it is cancelled: then requests and jobs end in order, and the stores last.

    Raises ConfigurationError for what is wrong before it is ready.
    """
    async with AsyncExitStack() as stack:
        troubles = await stack.enter_async_context(liveness.told(settings, ProcessRole.SINGLE))
        await stack.enter_async_context(collector.sent_to(settings, ProcessRole.SINGLE))
        listener = stack.enter_context(listen(settings.host, settings.port))
        urls = await stack.enter_async_context(provided_stores(settings, troubles))
        settings = with_stores(settings, urls)
        stack.callback(log.info, "service_ended")
        ctx = await stack.enter_async_context(opened(settings, troubles))
        log.info("service_started", url=settings.base_url, embedded=sorted(urls))
        async with asyncio.TaskGroup() as group:
            for role, work in {
                ProcessRole.API: lambda: _serve(settings, listener),
                ProcessRole.WORKER: lambda: _alive(ctx, ProcessRole.WORKER, worker.run),
                ProcessRole.INDEXER: lambda: _alive(ctx, ProcessRole.INDEXER, indexer.run),
            }.items():
                group.create_task(keep(role, work, troubles))


async def keep(role: ProcessRole, work: Callable[[], Awaitable[None]], troubles: Troubles) -> None:
    """Starts a role again when it ends, as the supervisor does with processes."""
    back_off = BackOff(role, troubles)
    while True:
        back_off.begun()
        try:
            await work()
            seconds = back_off.ended("by itself")
        except Exception as error:
            seconds = back_off.ended(f"with {type(error).__name__}")
            log.exception("role_ended", of=role, restart_in_seconds=seconds)
        await asyncio.sleep(seconds)


async def _alive(
    ctx: Context, role: ProcessRole, work: Callable[[Context], Awaitable[None]]
) -> None:
    async with pulses.alive(ctx, role):
        await work(ctx)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    """The api, on a listening socket that outlives it."""
    config = server_config(
        create_app(settings, router),
        settings,
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    await StreamingGuest(config).serve_until_cancelled(listener.dup())
