"""What one live 1080p60 share costs us altogether, as a share of a core.

The indexer's CPU is that of a share that comes ten times as fast as in life, so that what it uses
while nothing happens, which many shares have in common, is a small part; that is measured before
and taken off. Cleanup's is measured on all that was indexed. What the stores use is told apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from app.cleaning import cleanup
from app.context import Context, opened
from app.models.schema import EgressSession, Segment
from tests.bench import measure
from tests.bench.report import Param, Result, result
from tests.bench.running import Installation

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE_MINUTES = 1e-6


async def idle_cpu(running: Installation, seconds: float) -> dict[str, float]:
    """CPU seconds a second of indexer and database while nothing happens."""
    pids = dict(zip(("indexer", "mongo"), running.pids("indexer", "mongo"), strict=True))
    before = {name: measure.cpu_seconds_of([pid]) for name, pid in pids.items()}
    await asyncio.sleep(seconds)
    return {
        name: (measure.cpu_seconds_of([pid]) - before[name]) / seconds for name, pid in pids.items()
    }


async def cleanup_cpu(running: Installation) -> dict[str, float]:
    """CPU seconds that forgetting a segment takes, in cleanup (here) and in the database."""
    await running.children["indexer"].stop(10)
    over = {"$set": {"ended_at": datetime.now(UTC), "indexing": None}}
    await running.ctx.store.rows(EgressSession).update_many({}, over)
    [mongo] = running.pids("mongo")
    settings = running.settings.model_copy(update={"retention_minutes": _AT_ONCE_MINUTES})
    async with opened(settings) as ctx:
        segments = await _made_old(ctx)
        before, began = measure.cpu_seconds_of([mongo]), time.process_time()
        await cleanup.run(ctx)
        ours = time.process_time() - began
        stores = measure.cpu_seconds_of([mongo]) - before
        left = await ctx.store.rows(Segment).find_one({}, {"_id": 1})
    if left is not None:
        raise RuntimeError(f"cleanup left {left['_id']}")
    return {"ours": ours / segments, "mongo": stores / segments}


async def _made_old(ctx: Context) -> int:
    """Media that came ten times as fast as it lasts ends in the future. How many segments."""
    times = {"$set": {"start": _LONG_AGO, "end": _LONG_AGO}}
    changed = await ctx.store.rows(Segment).update_many({}, times)
    return changed.matched_count


def results_of(
    params: Mapping[str, Param],
    segment_seconds: float,
    indexing: Mapping[str, float],
    cleaning: Mapping[str, float],
    idle: Mapping[str, float],
) -> list[Result]:
    """From CPU seconds a segment, and those a second of idling."""
    share = 100 / segment_seconds
    told = {
        "indexer": indexing["indexer"] * share,
        "cleanup": cleaning["ours"] * share,
        "stores": (indexing["mongo"] + cleaning["mongo"]) * share,
    }
    told["ours"] = told["indexer"] + told["cleanup"]
    return [
        result("whole_cost", way, params, "% of a core", [cpu]) for way, cpu in told.items()
    ] + [result("idle", name, {}, "% of a core", [cpu * 100]) for name, cpu in idle.items()]
