"""The metrics as Prometheus reads them: what the processes count, and what the rows say.

What rows and disk say is asked at most every CACHE_SECONDS, and no more often than its cost allows,
however often somebody scrapes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
import uvicorn
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client import CollectorRegistry, Metric, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.buffer.paths import BUFFER_ROOT
from app.context import Context
from app.errors import ConfigurationError
from app.models import EgressSession, Segment, UserReplayQuota
from app.store import Row

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
CACHE_SECONDS = 15.0
COST_FACTOR = 20
"""Asking that takes t seconds is done at most every 20 t."""
LOOKED_UP_SESSIONS = 20
"""Of so many stalled sessions the newest media is looked up one by one."""

log = structlog.get_logger()

GAUGES = {
    "replay_buffer_active_sessions": "Egresses that record",
    "replay_buffer_temp_storage_bytes": "Bytes of the segments in the buffers",
    "replay_buffer_saved_replays_bytes": "Bytes of the clips",
    "replay_buffer_free_disk_bytes": "Bytes free on the media root's disk",
}


class Exposition:
    """Renders the metrics of the service for one process that is asked for them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._asking = asyncio.Lock()
        self._fresh_until = 0.0
        self._rows: dict[str, float] = {}

    async def render(self) -> bytes:
        """The exposition text. Without a database it lacks what the rows say."""
        usage = await asyncio.to_thread(shutil.disk_usage, self.ctx.settings.media_root)
        gauges = {"replay_buffer_free_disk_bytes": float(usage.free)}
        try:
            async with self._asking:
                if time.monotonic() >= self._fresh_until:
                    await self._ask_rows()
            gauges |= self._rows
        except PyMongoError as error:
            log.warning("metrics_without_rows", error=str(error))
        return generate_latest(_processes()) + generate_latest(_Gauges(gauges))

    async def _ask_rows(self) -> None:
        began = time.monotonic()
        live = await self.ctx.store.rows(EgressSession).find(_LIVE, {"active_at": 1}).to_list(None)
        metrics.MEDIA_LAG.set(await self._media_lag(live, datetime.now(UTC)))
        # From the disk: adding up 100,000 rows takes the embedded database four times as long.
        buffers = self.ctx.settings.media_root / BUFFER_ROOT
        self._rows = {
            "replay_buffer_active_sessions": len(live),
            "replay_buffer_temp_storage_bytes": await asyncio.to_thread(_size_of, buffers),
            "replay_buffer_saved_replays_bytes": await self._charged_bytes(),
        }
        ended = time.monotonic()
        self._fresh_until = ended + max(CACHE_SECONDS, COST_FACTOR * (ended - began))

    async def _charged_bytes(self) -> int:
        """Every clip is charged to exactly one quota, and quotas are far fewer than clips."""
        pipeline: list[Row] = [{"$group": {"_id": None, "bytes": {"$sum": "$used_bytes"}}}]
        found = await self.ctx.store.rows(UserReplayQuota).aggregate(pipeline).to_list(1)
        return int(found[0]["bytes"]) if found else 0

    async def _media_lag(self, live: list[Row], now: datetime) -> float:
        """Age in seconds of the newest media of the session that is furthest behind."""
        active = [row for row in live if row["active_at"] is not None]
        if not active:
            return 0.0
        segments = self.ctx.store.rows(Segment)
        # Through the index on `end`: a few segments of each session that keeps up.
        recent = now - timedelta(seconds=6 * self.ctx.settings.segment_seconds)
        pipeline: list[Row] = [
            {"$match": {"end": {"$gt": recent}}},
            {"$group": {"_id": "$session_id", "end": {"$max": "$end"}}},
        ]
        newest = {row["_id"]: row["end"] async for row in segments.aggregate(pipeline)}
        stalled = [row for row in active if row["_id"] not in newest]
        for row in sorted(stalled, key=lambda row: row["active_at"])[:LOOKED_UP_SESSIONS]:
            last = await segments.find_one(
                {"session_id": row["_id"]}, {"end": 1}, sort=[("sequence", -1)]
            )
            newest[row["_id"]] = last["end"] if last else row["active_at"]
        ends: list[datetime] = [newest[row["_id"]] for row in active if row["_id"] in newest]
        return max(0.0, (now - min(ends)).total_seconds())


_LIVE = {"role": {"$in": ["current", "next"]}, "ghost_at": None, "ended_at": None}


def _size_of(folder: Path) -> int:
    """Bytes of all files below a folder. Blocks: 10 µs a file."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue  # cleanup was faster
    return total


class _Gauges(Collector):
    """Gauges for one exposition. Those of prometheus_client would be shared between processes."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def collect(self) -> Iterator[Metric]:
        for name, value in self.values.items():
            yield GaugeMetricFamily(name, GAUGES[name], value)


def _processes() -> CollectorRegistry:
    """What the processes count: of all of them if they share a folder, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
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
    exposition = Exposition(ctx)

    async def get_metrics(request: Request) -> Response:
        return Response(await exposition.render(), media_type=CONTENT_TYPE)

    app = Starlette(routes=[Route("/metrics", get_metrics)])
    server = Guest(
        uvicorn.Config(
            app, lifespan="off", ws="none", access_log=False, log_config=None, server_header=False
        )
    )
    with _listening(settings.host, settings.metrics_port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="metrics")
        try:
            yield
        finally:
            server.should_exit = True
            await asyncio.wait({serving})


class Guest(uvicorn.Server):
    """A server within a process whose signals belong to somebody else."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"METRICS_PORT={port}: can't listen there ({error.strerror or error}): give a port "
                "that no other program uses, or 0 and METRICS_TOKEN"
            ) from error
        yield listener
