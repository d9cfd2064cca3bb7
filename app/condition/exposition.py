"""The metrics as Prometheus reads them: what the processes count, and what the rows say."""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.condition import process_counters
from app.condition.livekit_clock import LiveKitClock
from app.condition.measures import Measures
from app.context import Context
from app.recording import unread_rooms
from app.settings import Settings
from app.storage.free_space import free_bytes

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
CACHE_SECONDS = 15.0
"""What rows and disk say is asked no more often than this, however often somebody scrapes."""

log = structlog.get_logger()

GAUGES = {
    "replay_buffer_media_lag_seconds": "Age of the newest media of the live share that is furthest "
    "behind",
    "replay_buffer_active_sessions": "Egresses that record",
    "replay_buffer_open_captures": "Captures and renditions that are queued or being made, without "
    "those whose media is still to come",
    "replay_buffer_temp_storage_bytes": "Bytes of the segments in the buffers",
    "replay_buffer_saved_replays_bytes": "Bytes of the clips",
    "replay_buffer_free_disk_bytes": "Bytes free on the media root's disk",
    "replay_buffer_free_space_min_bytes": "FREE_SPACE_MIN_BYTES",
    "replay_buffer_oldest_event_seconds": "Age of the oldest event that a target has not taken",
    "replay_buffer_late_jobs": "Jobs that recur and had no whole round for three of their periods",
    "replay_buffer_unread_rooms": "Rooms whose people no survey has read three times in a row",
    "replay_buffer_livekit_clock_ahead_seconds": "How far LiveKit's clock is ahead of ours, to the "
    "second",
    "replay_buffer_egress_clock_ahead_seconds": "How far the clock of an egress is ahead of ours, "
    "at least: of the one that records now and is furthest from it",
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
            unread = await unread_rooms.unread_for_long(self.ctx)
            gauges["replay_buffer_unread_rooms"] = unread
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
                "replay_buffer_open_captures": measurement.open_captures,
                "replay_buffer_temp_storage_bytes": measurement.buffered_bytes,
                "replay_buffer_saved_replays_bytes": measurement.clips_bytes,
                "replay_buffer_egress_clock_ahead_seconds": measurement.egress_clock_ahead_seconds,
                "replay_buffer_oldest_event_seconds": measurement.oldest_event_seconds,
            }
        return generate_latest(process_counters.registry()) + generate_latest(_Gauges(gauges))


class _Gauges(Collector):
    """Gauges for one exposition. Those of prometheus_client would be shared between processes."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def collect(self) -> Iterator[Metric]:
        for name, value in self.values.items():
            yield GaugeMetricFamily(name, GAUGES[name], value)
