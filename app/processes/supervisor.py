"""The whole service as one process tree: embedded stores first, then api, worker and indexer.

The three are forked of this process, and load what they need while the stores start. One that ends
is started again as a program of its own.

At the end the three get SIGTERM and STOP_SECONDS, then the stores. If this process is killed, the
kernel kills its children (app.processes.bound_exec).
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import gettempdir

import structlog

from app.errors import ConfigurationError
from app.models import ProcessRole
from app.processes import liveness
from app.processes.child import Child
from app.processes.counters_folder import counters_folder
from app.processes.forked_process import ForkedProcess
from app.processes.stores import provided_stores
from app.settings import COUNTERS_FOLDER, Settings
from app.work.troubles import Troubles

STOP_SECONDS = 15.0

log = structlog.get_logger()


async def run(settings: Settings, forked: Mapping[str, ForkedProcess]) -> int:
    """Runs the service until it is cancelled, or until a child refuses its configuration.

    Gives 78 in the second case: the child has said what is wrong, and all others are ended.
    `forked`: processes by role, in two steps: to load what they need, and to run.
    Raises ConfigurationError for what is wrong before a child runs.
    """
    async with AsyncExitStack() as stack:
        troubles = await stack.enter_async_context(liveness.told(settings, ProcessRole.SUPERVISOR))
        listener = stack.enter_context(listen(settings.host, settings.port))
        # prometheus_client's processes add up their counters through files in here; what earlier
        # runs counted must not be among them, so the folder is new each time.
        counters = stack.enter_context(counters_folder(Path(gettempdir())))
        environment = {COUNTERS_FOLDER: str(counters)}
        for process in forked.values():
            # before its folder goes, if the service ends before all of it has begun
            stack.callback(process.end)
            process.go_on(environment)
        urls = await stack.enter_async_context(provided_stores(settings, troubles))
        children = [
            _child(role, environment | urls, listener, troubles, forked.get(role))
            for role in ProcessRole.of_service()
        ]
        try:
            for child in children:
                child.start()
            log.info("service_started", url=settings.base_url, embedded=sorted(urls))
            refused = await _first_refusal(children)
            log.error("configuration_refused", child=refused.name)
            return os.EX_CONFIG
        finally:
            listener.close()  # the api has its own; nobody is to wait in line any more
            await asyncio.gather(*(child.stop(STOP_SECONDS) for child in children))
            log.info("service_ended")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError that names HOST and PORT.

    The supervisor holds it and the api inherits it, so that a request that comes while the api is
    being restarted waits instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"HOST={host!r} PORT={port}: can't listen there ({error.strerror or error}): give an "
            "address of this machine and a port that no other program uses"
        ) from error
    return listener


def _child(
    role: ProcessRole,
    environment: dict[str, str],
    listener: socket.socket,
    troubles: Troubles,
    forked: ForkedProcess | None,
) -> Child:
    argv, handed = [sys.executable, "-m", "app", role], []
    if role is ProcessRole.API:
        handed = [listener.fileno()]
        argv += ["--fd", str(listener.fileno())]
    return Child(role, argv, env=environment, pass_fds=handed, troubles=troubles, forked=forked)


async def _first_refusal(children: list[Child]) -> Child:
    refusals = {asyncio.create_task(child.refused.wait()): child for child in children}
    try:
        done, _ = await asyncio.wait(refusals, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for refusal in refusals:
            refusal.cancel()
    return refusals[done.pop()]
