"""GET /metrics on a port of its own, METRICS_PORT."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.condition.exposition import CONTENT_TYPE, Exposition, may_read
from app.context import Context
from app.errors import ConfigurationError
from app.serving.safe_headers import SafeHeaders, site_headers
from app.serving.server import Guest
from app.serving.server import config as server_config
from app.settings import counters_are_shared
from app.work.log_lines import LogLines

log = structlog.get_logger()


@asynccontextmanager
async def served(ctx: Context) -> AsyncIterator[None]:
    """Serves GET /metrics on METRICS_PORT while it is held; without one it does nothing.

    Every process of a host may hold it: they share the port, and each answers for all if they
    share PROMETHEUS_MULTIPROC_DIR. Raises ConfigurationError if the port can't be had.
    """
    settings = ctx.settings
    if not settings.metrics_port:
        yield
        return
    exposition, lines = Exposition(ctx), LogLines("refusals_without_lines")

    async def get_metrics(request: Request) -> Response:
        if settings.metrics_token.get_secret_value() and not may_read(settings, request.headers):
            metrics.CREDENTIALS_REFUSED.labels("/metrics").inc()
            if lines.take():
                peer = request.client.host if request.client else ""
                log.info("credentials_refused", reason="it is not METRICS_TOKEN", peer=peer)
            return Response("send METRICS_TOKEN: Authorization: Bearer <token>", 401)
        return Response(await exposition.render(), media_type=CONTENT_TYPE)

    app = Starlette(routes=[Route("/metrics", get_metrics)])
    safe = SafeHeaders(app, site_headers(settings))
    server = Guest(server_config(safe, settings, lifespan="off"))
    with _listening(settings.host, settings.metrics_port) as listener:
        serving = asyncio.create_task(server.serve_until_cancelled(listener), name="metrics")
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait({serving})


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        if not counters_are_shared() and not _is_free(host, port, family):
            log.warning(
                "metrics_port_shared",
                metrics_port=port,
                why="another process serves its own numbers there, too, and who asks gets either's:"
                " give each a METRICS_PORT",
            )
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # the next one that begins finds the port taken
        except OSError as error:
            raise ConfigurationError(
                f"METRICS_PORT={port}: can't listen there ({error.strerror or error}): give a port "
                "that no other program uses, or 0 and METRICS_TOKEN"
            ) from error
        yield listener


def _is_free(host: str, port: int, family: socket.AddressFamily) -> bool:
    """Whether nobody listens there, not even one that would share the port."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
