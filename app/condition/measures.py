"""What rows and disk say of the whole service at an instant: sessions, bytes, lag."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import structlog

from app import metrics
from app.buffer import clock
from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT
from app.condition.answer_cache import AnswerCache
from app.context import Context
from app.models import CaptureStatus, EventState, Row, SessionRole, SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import (
    Capture,
    EgressSession,
    OutgoingEvent,
    Rendition,
    Segment,
    UserReplayQuota,
)
from app.storage.confined import member
from app.store import dated
from app.work import rounds

COST_FACTOR = 20
"""Asking that takes t seconds is done at most every 20 t."""
LOOKED_UP_SESSIONS = 20
"""Of so many stalled sessions the newest media is looked up one by one."""


class Budget(NamedTuple):
    """What a walk through folders may take: so many entries, so many seconds."""

    entries: int = sys.maxsize
    seconds: float = math.inf


BUDGETS: Mapping[str, Budget] = {
    BUFFER_ROOT: Budget(200_000, 2.0),
    FRAGMENTS_ROOT: Budget(seconds=8.0),
}
"""Egress writes below the one, and may make any number of files."""
# One walk at a time, and in nobody's way: a walk goes on when its job is cancelled.
_walking = ThreadPoolExecutor(1, "measures")

log = structlog.get_logger()

_OF_LIVE = dict.fromkeys(("active_at", "start_sent_at", "clock_ns", "clock_exact"), 1)
_LIVE = {"role": {"$in": list(SessionRole)}, "ghost_at": None, "ended_at": None}


@dataclass(frozen=True)
class Measurement:
    """The numbers at `at`.

    `media_lag_seconds`: of the live share that is furthest behind. `oldest_event_seconds`: how long
    the event waits that was told first of those that nobody has taken.
    `egress_clock_ahead_seconds`: see `clock.ahead_seconds`, of the session that is furthest off.
    `open_captures`: captures and renditions that are queued or being made, without those whose
    media is still to come.
    """

    at: datetime
    active_sessions: int
    buffered_bytes: int
    clips_bytes: int
    media_lag_seconds: float
    oldest_event_seconds: float
    egress_clock_ahead_seconds: float
    open_captures: int


class Measures(AnswerCache[Measurement]):
    """Asks rows and disk at most every `every_seconds`, and no more often than the cost allows."""

    def __init__(self, ctx: Context, every_seconds: float) -> None:
        super().__init__(
            partial(_measure, ctx),
            lambda _, took_seconds: max(every_seconds, COST_FACTOR * took_seconds),
        )


async def _measure(ctx: Context) -> Measurement:
    """The numbers of now. Raises pymongo.errors.PyMongoError without a database."""
    now = datetime.now(UTC)
    live = await ctx.store.rows(EgressSession).find(_LIVE, _OF_LIVE).to_list(None)
    lag = await _media_lag(ctx, live, now)
    # on the disk: see app.store
    buffered = await buffered_bytes(ctx.settings.media_root)
    return Measurement(
        at=now,
        active_sessions=len(live),
        buffered_bytes=buffered,
        clips_bytes=await _charged_bytes(ctx),
        media_lag_seconds=lag,
        oldest_event_seconds=await _oldest_event_seconds(ctx, now),
        egress_clock_ahead_seconds=_clock_ahead_seconds(live),
        open_captures=await _open_captures(ctx),
    )


def _clock_ahead_seconds(live: list[SessionRow]) -> float:
    ahead = [0.0]
    for row in live:
        with rounds.item(session=row["_id"]):
            ahead.append(clock.ahead_seconds(row))
    return max(ahead, key=abs)


async def _open_captures(ctx: Context) -> int:
    """Counted among those with a `lease_until`, which has an index."""
    status = {"$in": [CaptureStatus.QUEUED, CaptureStatus.RUNNING]}
    stages: list[Row] = [
        {"$match": {"lease_until": dated(), "status": status}},
        {"$group": {"_id": None, "count": {"$sum": 1}}},
    ]
    counts = await ctx.store.summed(Capture, stages) + await ctx.store.summed(Rendition, stages)
    return sum(each["count"] for each in counts)


async def _oldest_event_seconds(ctx: Context, now: datetime) -> float:
    pending = {"state": EventState.PENDING}
    first = await ctx.store.rows(OutgoingEvent).find_one(
        pending, {"created_at": 1}, sort=[("created_at", 1)]
    )
    return max(0.0, (now - first["created_at"]).total_seconds()) if first else 0.0


async def _charged_bytes(ctx: Context) -> int:
    """Every clip is charged to exactly one quota, and quotas are far fewer than clips."""
    pipeline: list[Row] = [{"$group": {"_id": None, "bytes": {"$sum": "$used_bytes"}}}]
    sums = await ctx.store.summed(UserReplayQuota, pipeline)
    return int(sums[0]["bytes"]) if sums else 0


async def _media_lag(ctx: Context, live: list[SessionRow], now: datetime) -> float:
    """Age in seconds of the newest media of the session that is furthest behind."""
    lags: dict[str, float] = {}
    for row in live:
        with rounds.item(session=row["_id"]):
            if (active_at := row["active_at"]) is not None:
                lags[row["_id"]] = (now - active_at).total_seconds()
    if not lags:
        return 0.0
    segments = ctx.store.rows(Segment)
    # Through the index on `end`: a few segments of each session that keeps up.
    recent = now - timedelta(seconds=6 * ctx.settings.segment_seconds)
    pipeline: list[Row] = [
        {"$match": {"end": {"$gt": recent}}},
        {"$group": {"_id": "$session_id", "end": {"$max": "$end"}}},
    ]
    found = {row["_id"]: row["end"] for row in await ctx.store.summed(Segment, pipeline)}
    newest: dict[str, datetime] = {each: end for each, end in found.items() if each in lags}
    stalled = sorted(lags.keys() - newest.keys(), key=lambda each: lags[each], reverse=True)
    for each in stalled[:LOOKED_UP_SESSIONS]:
        last = await segments.find_one({"session_id": each}, {"end": 1}, sort=[("sequence", -1)])
        if last:
            newest[each] = last["end"]
    for each, end in newest.items():
        with rounds.item(session=each):
            lags[each] = (now - end).total_seconds()
    looked_up = lags.keys() - stalled[LOOKED_UP_SESSIONS:]
    return max([0.0, *(lags[each] for each in looked_up)])


_MOST_BYTES = 2**62
"""No disk is so large, and the database holds such a number."""


UNBOUNDED = Budget()


class Size(NamedTuple):
    """Bytes of the files below a folder. `is_whole`: of all, not of those that a budget allowed."""

    bytes: int
    is_whole: bool


async def buffered_bytes(media_root: Path, budgets: Mapping[str, Budget] = BUDGETS) -> int:
    """Bytes on the disk of the buffer; of a part of it, which is logged, if a budget is spent."""
    total = 0
    for root, budget in budgets.items():
        walk = partial(size_of, member(media_root, root), budget)
        size = await asyncio.get_running_loop().run_in_executor(_walking, walk)
        total += size.bytes
        if not size.is_whole:
            metrics.ERRORS.labels(ErrorKind.SIZE_NOT_WHOLE).inc()
            log.warning("size_not_whole", root=root, counted_bytes=size.bytes, **budget._asdict())
    return total


def size_of(folder: Path, budget: Budget = UNBOUNDED) -> Size:
    """Bytes on the disk of all files below a folder, as far as they have any. Blocks: 10 µs a file.

    Egress may make a file of any size that holds nothing.
    """
    total = 0
    with closing(_entries(folder)) as entries:
        for entry in rounds.within(islice(entries, budget.entries), budget.seconds):
            try:
                if not entry.is_dir(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    total += min(status.st_size, status.st_blocks * 512)
            except OSError:
                continue  # cleanup was faster
        return Size(min(total, _MOST_BYTES), next(entries, None) is None)


def _entries(folder: Path) -> Generator[os.DirEntry[str], None, None]:
    """All that is below a folder."""
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    yield entry
        except OSError:
            continue  # cleanup was faster, or egress has made what can't be looked at
