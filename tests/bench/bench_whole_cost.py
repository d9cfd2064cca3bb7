"""What one live 1080p60 share costs us altogether, as a share of a core.

A real indexer follows a share that comes ten times as fast as in life, so that its own idle CPU,
which many shares have in common, is a small part; that is measured before and taken off. Cleanup
then forgets all of it. What the stores use for it is told apart.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from app.buffer import cleanup
from app.context import Context, opened
from app.models import EgressSession, Segment
from tests.bench import bench_index, measure, media
from tests.bench.bench_index import SEGMENT_SECONDS, Case
from tests.bench.broadcast import Broadcast, endless
from tests.bench.ground import Ground
from tests.bench.report import Result, result
from tests.bench.running import Installation, installation

_SOON_MINUTES = 1e-6


async def run(ground: Ground) -> list[Result]:
    case = Case(1, SEGMENT_SECONDS / 10, ground.pick(quick=6.0, full=60.0), media.FULL_HD_60)
    count = int(case.seconds / case.pace_seconds) + 2
    segments = endless(ground.cycle(case.shape), SEGMENT_SECONDS, count)
    broadcast = Broadcast(segments, SEGMENT_SECONDS)
    idle_seconds = ground.pick(quick=3.0, full=20.0)
    ground.say("the whole cost of a share")
    async with installation(ground, "cost", ("indexer",)) as running:
        await broadcast.open(running.ctx, case.shares)
        await bench_index.all_followed(running)
        idle = await _idle(running, idle_seconds)
        began = time.perf_counter()
        watched = await bench_index.follow(running, broadcast, case)
        lasted = time.perf_counter() - began
        indexed = len(broadcast.named_at)
        per_segment = {
            name: seconds - idle[name] * lasted / indexed for name, seconds in watched.cpu.items()
        }
        forgotten = await _cleanup(running, indexed)
    shares = {name: cpu / SEGMENT_SECONDS * 100 for name, cpu in per_segment.items()}
    told = {
        "indexer": shares["indexer"],
        "cleanup": forgotten["ours"] / SEGMENT_SECONDS * 100,
        "stores": shares["mongo"] + forgotten["mongo"] / SEGMENT_SECONDS * 100,
    }
    told["ours"] = told["indexer"] + told["cleanup"]
    params = {"media": case.shape.name, "segments": indexed}
    results = [
        result("whole_cost", way, params, "% of a core", [share]) for way, share in told.items()
    ]
    idling = [result("idle", name, {}, "% of a core", [idle[name] * 100]) for name in idle]
    return results + idling


async def _idle(running: Installation, idle_seconds: float) -> dict[str, float]:
    """CPU seconds a second of indexer and database while nothing happens."""
    pids = dict(zip(("indexer", "mongo"), running.pids("indexer", "mongo"), strict=True))
    before = {name: measure.cpu_seconds_of([pid]) for name, pid in pids.items()}
    await asyncio.sleep(idle_seconds)
    return {
        name: (measure.cpu_seconds_of([pid]) - before[name]) / idle_seconds
        for name, pid in pids.items()
    }


async def _cleanup(running: Installation, segments: int) -> dict[str, float]:
    """CPU seconds that forgetting a segment takes, here in this process and in the database."""
    await running.children["indexer"].stop(10)
    over = {"$set": {"ended_at": datetime.now(UTC), "indexing": None}}
    await running.ctx.store.rows(EgressSession).update_many({}, over)
    [mongo] = running.pids("mongo")
    settings = running.settings.model_copy(update={"retention_minutes": _SOON_MINUTES})
    async with opened(settings) as ctx:
        await _made_old(ctx)
        before, began = measure.cpu_seconds_of([mongo]), time.process_time()
        await cleanup.run(ctx)
        ours = time.process_time() - began
        stores = measure.cpu_seconds_of([mongo]) - before
        left = await ctx.store.rows(Segment).find_one({}, {"_id": 1})
    if left is not None:
        raise RuntimeError(f"cleanup left {left['_id']}")
    return {"ours": ours / segments, "mongo": stores / segments}


async def _made_old(ctx: Context) -> None:
    """Media that came ten times as fast as it lasts ends in the future."""
    times = {
        "$set": {"start": datetime(2026, 1, 1, tzinfo=UTC), "end": datetime(2026, 1, 1, tzinfo=UTC)}
    }
    await ctx.store.rows(Segment).update_many({}, times)
