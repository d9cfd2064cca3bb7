"""The HTTP server: uvicorn with our protocol, its bounds and its connections."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import structlog
import uvicorn

from app.serving.bounds import Bounds
from app.serving.connections import Connections
from app.serving.protocol import BoundedProtocol
from app.serving.refusals import RefusalReport
from app.serving.safe_headers import site_headers
from app.settings import Settings

# Whoever asks is to close an idle connection first (Go after 90 s, httpx after 5): one that this
# end closes just then costs them the request that is on its way.
KEEP_ALIVE_SECONDS = 120
STOP_SECONDS = 10
"""How long open requests may go on after SIGTERM."""
ACCEPTED_AT_ONCE = 32
"""Connections that are accepted in one round of the event loop, of those that wait for it. libuv
accepts one of each socket, and the last of a thousand would wait for as many rounds."""
SPARE_DESCRIPTORS = 256
"""What a process opens besides connections: files of clips, stores, log."""

log = structlog.get_logger()


class Guest(uvicorn.Server):
    """A server within a process whose signals belong to somebody else.

    One that has no streams of events: they would not hear of its end.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def serve_until_cancelled(self, listener: socket.socket) -> None:
        """Serves on a listening socket, which it closes at its end.

        Cancelled, it ends in order, as at a signal. Raises RuntimeError if its application did not
        start.
        """
        with ExitStack() as copies:
            more = [copies.enter_context(listener.dup()) for _ in range(ACCEPTED_AT_ONCE - 1)]
            serving = asyncio.create_task(self.serve(sockets=[listener, *more]))
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                await self.end(serving)
                raise
        if not self.started:
            raise RuntimeError("the application did not start: see the lines above")

    async def end(self, serving: asyncio.Task[None]) -> None:
        """Returns once `serving` has ended in order."""
        self.should_exit = True
        await serving


def config(
    app: Any, settings: Settings, bounds: Bounds | None = None, **given: Any
) -> uvicorn.Config:
    """uvicorn's configuration for an application of ours; `given` goes to it as it is."""
    places = Connections(most(settings), settings.max_connections_per_address, is_trusted(settings))
    return uvicorn.Config(
        app,
        http=bounded(bounds or Bounds(), places, site_headers(settings)),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        **given,
    )


def bounded(bounds: Bounds, places: Connections, site: Mapping[str, str]) -> type[BoundedProtocol]:
    """A protocol class for one server; `site`: headers that all its answers have."""
    own = {"bounds": bounds, "places": places, "site": site, "report": RefusalReport()}
    return type("BoundedProtocol", (BoundedProtocol,), own)


def most(settings: Settings) -> int:
    """How many connections there may be: MAX_CONNECTIONS, or as many as there are descriptors.

    The soft limit of descriptors is raised first: without one left, nobody is answered any more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings.max_connections
    log.warning("few_descriptors", limit=soft, max_connections=settings.max_connections)
    return max(16, soft - SPARE_DESCRIPTORS)


def is_trusted(settings: Settings) -> Callable[[str], bool]:
    """Whether an address is that of one of the TRUSTED_PROXIES."""
    networks = [ip_network(network) for network in settings.trusted_proxies]

    def within(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in networks)
        except ValueError:  # a socket without an address
            return False

    return within
