"""The counters and histograms that any process of the service moves.

Gauges of what rows and disk say (active sessions, bytes, the lag of media) are computed when they
are read: `app.condition.exposition`. Several processes share their numbers through
PROMETHEUS_MULTIPROC_DIR, which the supervisor sets; without it each process tells its own.

Each counter is there from the start, at 0, with every word that its labels may be: an alarm then
hears of the first time, too. Words that are put together elsewhere, as the paths of routes are,
begin there: `begin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter, Histogram

from app.models.encoding_words import EncodingWhy
from app.models.metric_words import (
    ConnectionRefusal,
    ErrorKind,
    StartOutcome,
    StoreName,
    StoreTrouble,
)
from app.models.words import CaptureStatus, Stopper, Why

_PREFIX = "replay_buffer_"


def begin(counter: Counter, *words: Iterable[str]) -> None:
    """Has a counter tell 0 for each combination of words; `words`: of each label, in order."""
    for labels in product(*words):
        counter.labels(*labels)


WEBHOOKS = Counter(
    _PREFIX + "webhooks_total", "LiveKit's events, by what became of them", ["event", "result"]
)
EGRESS_STARTS = Counter(
    _PREFIX + "egress_starts_total", "Starts of an egress, by their outcome", ["result"]
)
REFUSALS = Counter(_PREFIX + "refusals_total", "Shares that are not recorded, by why", ["why"])
ENCODING_STEPS = Counter(
    _PREFIX + "encoding_steps_total",
    "Shares that went on in a cheaper encoding, as egress could not keep up, by why",
    ["why"],
)
DELETIONS = Counter(
    _PREFIX + "deletions_total",
    "Deletions of what is kept of a share, or of its last part, by whose word",
    ["by"],
)
ERRORS = Counter(_PREFIX + "errors_total", "What went wrong, by kind", ["type"])
CREDENTIALS_REFUSED = Counter(
    _PREFIX + "credentials_refused_total",
    "Requests whose token, signature or link is not valid, by the path they were sent to",
    ["path"],
)
ITEMS_FAILED = Counter(
    _PREFIX + "items_failed_total",
    "Rooms, people, rows or files that a round of a job failed on; it served the others",
    ["job"],
)
CONNECTIONS_REFUSED = Counter(
    _PREFIX + "connections_refused_total",
    "Connections closed, by why: connections, head, body, syntax, ahead, stalled",
    ["why"],
)
STORE_TROUBLES = Counter(
    _PREFIX + "store_troubles_total",
    "Questions that the database (mongo) or the queue (redis) did not answer, or refused, by why",
    ["store", "why"],
)
CAPTURES = Counter(_PREFIX + "captures_total", "Captures, by how they ended", ["status"])
CAPTURE_SECONDS = Histogram(
    _PREFIX + "capture_duration_seconds",
    "From the acceptance of a capture to its clip",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128),
)
FFMPEG_SECONDS = Histogram(
    _PREFIX + "ffmpeg_duration_seconds",
    "Run time of one ffmpeg process",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 300),
)
INDEX_LAG = Histogram(
    _PREFIX + "index_lag_seconds",
    "From a playlist's naming of a segment to its row",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 15, 60),
)

begin(EGRESS_STARTS, StartOutcome)
begin(REFUSALS, [why for why in Why if why.refuses])
begin(ENCODING_STEPS, EncodingWhy.steps())
begin(DELETIONS, Stopper)
begin(ERRORS, ErrorKind)
begin(CONNECTIONS_REFUSED, ConnectionRefusal)
begin(STORE_TROUBLES, StoreName, StoreTrouble)
begin(CAPTURES, [CaptureStatus.READY, CaptureStatus.FAILED, CaptureStatus.CANCELLED])
