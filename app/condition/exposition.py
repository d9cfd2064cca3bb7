"""The metrics as Prometheus reads them: what the processes count, and what the rows say."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import math
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client import CollectorRegistry, Metric, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.condition.livekit_clock import LiveKitClock
from app.condition.measures import Measures
from app.context import Context
from app.errors import ConfigurationError
from app.serving.safe_headers import SafeHeaders, site_headers
from app.serving.server import Guest
from app.serving.server import config as server_config
from app.settings import Settings, counters_are_shared
from app.storage.free_space import free_bytes
from app.work.log_lines import LogLines

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
CACHE_SECONDS = 15.0
"""What rows and disk say is asked no more often than this, however often somebody scrapes."""

_INDEX_LAG = "replay_buffer_index_lag_seconds"

log = structlog.get_logger()

GAUGES = {
    "replay_buffer_media_lag_seconds": "Age of the newest media of the live share that is furthest "
    "behind",
    "replay_buffer_active_sessions": "Egresses that record",
    "replay_buffer_temp_storage_bytes": "Bytes of the segments in the buffers",
    "replay_buffer_saved_replays_bytes": "Bytes of the clips",
    "replay_buffer_free_disk_bytes": "Bytes free on the media root's disk",
    "replay_buffer_free_space_min_bytes": "FREE_SPACE_MIN_BYTES",
    "replay_buffer_oldest_event_seconds": "Age of the oldest event that a target has not taken",
    "replay_buffer_late_jobs": "Jobs that recur and had no whole round for three of their periods",
    "replay_buffer_livekit_clock_ahead_seconds": "How far LiveKit's clock is ahead of ours, to the "
    "second",
}


def may_read(settings: Settings, headers: Mapping[str, str]) -> bool:
    """Whether a request bears METRICS_TOKEN."""
    token = settings.metrics_token.get_secret_value()
    given = headers.get("authorization", "").encode()
    return bool(token) and hmac.compare_digest(given, f"Bearer {token}".encode())


class Exposition:
    """Renders the metrics of the service for one process that is asked for them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._measures = Measures(ctx, CACHE_SECONDS)
        self._clock = LiveKitClock(ctx.settings)

    async def render(self) -> bytes:
        """The exposition text. Without the database, Redis or LiveKit it lacks what these say."""
        gauges: dict[str, float] = {
            "replay_buffer_free_disk_bytes": await free_bytes(self.ctx.settings.media_root),
            "replay_buffer_free_space_min_bytes": self.ctx.settings.free_space_min_bytes,
        }
        if not math.isnan(ahead := await self._clock.read()):
            gauges["replay_buffer_livekit_clock_ahead_seconds"] = ahead
        try:
            late = await self.ctx.queue.timetable().late(datetime.now(UTC))
            gauges["replay_buffer_late_jobs"] = len(late)
        except (RedisError, OSError) as error:
            log.warning("metrics_without_timetable", error=repr(error))
        try:
            measurement = await self._measures.read()
        except PyMongoError as error:
            log.warning("metrics_without_rows", error=str(error))
        else:
            gauges |= {
                "replay_buffer_media_lag_seconds": measurement.media_lag_seconds,
                "replay_buffer_active_sessions": measurement.active_sessions,
                "replay_buffer_temp_storage_bytes": measurement.buffered_bytes,
                "replay_buffer_saved_replays_bytes": measurement.clips_bytes,
                "replay_buffer_oldest_event_seconds": measurement.oldest_event_seconds,
            }
        return generate_latest(_processes()) + generate_latest(_Gauges(gauges))


class _Gauges(Collector):
    """Gauges for one exposition. Those of prometheus_client would be shared between processes."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def collect(self) -> Iterator[Metric]:
        for name, value in self.values.items():
            yield GaugeMetricFamily(name, GAUGES[name], value)


def index_lag() -> tuple[float, int]:
    """All segments that were indexed: their lags in seconds, added up, and how many. Blocks."""
    total = {"sum": 0.0, "count": 0.0}
    for family in _processes().collect():
        for sample in family.samples:
            _, _, part = sample.name.rpartition("_")
            if sample.name.startswith(_INDEX_LAG) and part in total:
                total[part] += sample.value
    return total["sum"], int(total["count"])


def _processes() -> CollectorRegistry:
    """What the processes count: of all of them if they share a folder, else of this one."""
    if not counters_are_shared():
        return PROCESS_REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


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
