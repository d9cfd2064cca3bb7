"""How soon a segment can be captured after its playlist line is written, and what it costs.

A real indexer on real stores follows shares whose files a script writes. A segment counts from the
moment its line is on the disk to the moment a query of ours returned its row.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.models.schema import EgressSession, Segment
from tests.bench import bench_whole_cost, measure, media
from tests.bench.broadcast import Broadcast, endless
from tests.bench.ground import Ground
from tests.bench.report import Result, result
from tests.bench.running import Installation, installation

SEGMENT_SECONDS = 2
LOOK_SECONDS = 0.004
REST_FACTOR = 4
"""It rests this many times as long as a look took."""
MEMORY_SECONDS = 0.5
AT_ONCE = 100
DRAIN_SECONDS = 60.0
FOLLOWED_SECONDS = 180.0
PARSER_SECONDS = 2.0
"""The indexer starts its parser with the first session, which has no segment before that."""


@dataclass(frozen=True)
class Case:
    """`shares` that name a segment every `pace_seconds`, for `seconds`."""

    shares: int
    pace_seconds: float
    seconds: float
    shape: media.Shape = media.TINY


@dataclass
class Watched:
    """What was seen: latencies in ms, the memory of indexer and parser in MB as time went on."""

    latencies_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    behind_seconds: float = 0.0
    """Age of the oldest segment that was not indexed yet when the writer stopped."""
    writer_late_seconds: float = 0.0
    """How far the script fell behind its own pace: the machine was too busy for more shares."""
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds a segment, by process."""
    cores: float = 0.0
    """How many cores all of it took together, from the first segment to the last."""


async def run(ground: Ground) -> list[Result]:
    """The shares of each case go on living, silently, while those of the next one are followed."""
    alone, many = ground.pick(quick=(5.0, 6.0), full=(60.0, 60.0))
    single = Case(1, SEGMENT_SECONDS / 10, alone, media.FULL_HD_60)
    others = [Case(100, SEGMENT_SECONDS, many)]
    others += ground.pick(quick=[], full=[Case(500, SEGMENT_SECONDS, 120.0)])
    async with installation(ground, "index", ("indexer",)) as running:
        idle = await bench_whole_cost.idle_cpu(running, ground.pick(quick=3.0, full=20.0))
        results, cpu = await _case(ground, running, single, idle)
        for case in others:
            results += (await _case(ground, running, case, idle))[0]
        cleaning = await bench_whole_cost.cleanup_cpu(running)
    params = {"media": single.shape.name}
    results += bench_whole_cost.results_of(params, SEGMENT_SECONDS, cpu, cleaning, idle)
    if not ground.quick:
        async with installation(ground, "index", ("indexer",)) as running:
            hour = Case(20, 0.15, 1800 * 0.15)
            results += (await _case(ground, running, hour, idle, "index_hour"))[0]
    return results


async def _case(
    ground: Ground,
    running: Installation,
    case: Case,
    idle: dict[str, float],
    name: str = "index",
) -> tuple[list[Result], dict[str, float]]:
    """Its results, and the CPU seconds a segment that it took each process, idling taken off."""
    ground.say(f"indexing {case.shares} shares")
    count = int(case.seconds / case.pace_seconds) + 2
    segments = endless(ground.cycle(case.shape), SEGMENT_SECONDS, count)
    broadcast = Broadcast(segments, SEGMENT_SECONDS)
    ahead_seconds = max(0.0, count * SEGMENT_SECONDS - case.seconds)
    await broadcast.open(running.ctx, case.shares, ahead_seconds)
    await all_followed(running)
    await asyncio.sleep(PARSER_SECONDS)
    began = time.perf_counter()
    watched = await follow(running, broadcast, case)
    lasted = time.perf_counter() - began
    indexed = len(broadcast.named_at)
    cpu = {each: used - idle[each] * lasted / indexed for each, used in watched.cpu.items()}
    return _results(case, watched, cpu, name), cpu


def _results(case: Case, watched: Watched, cpu: dict[str, float], name: str) -> list[Result]:
    params: dict[str, str | int] = {"buffers": case.shares, "media": case.shape.name}
    memory = watched.memory_mb
    half = len(memory) // 2
    return [
        result(name, "ours", params, "ms", watched.latencies_ms),
        result(f"{name}_behind", "ours", params, "s", [watched.behind_seconds]),
        result(f"{name}_behind", "writer", params, "s", [watched.writer_late_seconds]),
        # The ratio is that of the second half to the first: 1 where memory does not grow.
        result(f"{name}_memory", "ours", params, "MB", memory[half:], memory[:half] + memory[-1:]),
        result(f"{name}_cores", "ours", params, "cores", [watched.cores]),
        *(
            result(f"{name}_cpu", process, params, "ms a segment", [seconds * 1000])
            for process, seconds in cpu.items()
        ),
    ]


async def all_followed(running: Installation) -> None:
    sessions = running.ctx.store.rows(EgressSession)
    deadline = time.monotonic() + FOLLOWED_SECONDS
    while await sessions.find_one({"indexing": "live", "indexer": None}, {"_id": 1}):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not every session is followed after {FOLLOWED_SECONDS} s")
        await asyncio.sleep(0.1)


async def follow(running: Installation, broadcast: Broadcast, case: Case) -> Watched:
    watched = Watched()
    stopped = threading.Event()
    began = time.perf_counter()
    processes = dict(zip(("indexer", "mongo"), running.pids("indexer", "mongo"), strict=True))
    before = {name: measure.cpu_seconds_of([pid]) for name, pid in processes.items()}
    sending = asyncio.create_task(
        asyncio.to_thread(broadcast.send, case.pace_seconds, case.seconds, stopped)
    )
    memory = asyncio.create_task(_remember(processes["indexer"], watched.memory_mb))
    try:
        await _look(running, broadcast, sending, watched)
    finally:
        stopped.set()
        memory.cancel()
        await sending
    segments = len(broadcast.named_at)
    for name, pid in processes.items():
        watched.cpu[name] = (measure.cpu_seconds_of([pid]) - before[name]) / segments
    watched.cores = sum(watched.cpu.values()) * segments / (time.perf_counter() - began)
    watched.writer_late_seconds = broadcast.late_seconds
    return watched


async def _remember(pid: int, memory_mb: list[float]) -> None:
    while True:
        memory_mb.append(sum(map(measure.resident_bytes, measure.family(pid))) / 1e6)
        await asyncio.sleep(MEMORY_SECONDS)


async def _look(
    running: Installation, broadcast: Broadcast, sending: asyncio.Task[None], watched: Watched
) -> None:
    rows = running.ctx.store.rows(Segment)
    seen: set[str] = set()
    deadline: float | None = None
    while True:
        pending = [name for name in list(broadcast.named_at) if name not in seen]
        if sending.done() and deadline is None:
            now = time.perf_counter()
            ages = (now - broadcast.named_at[name] for name in pending)
            watched.behind_seconds = max(ages, default=0.0)
            deadline = now + DRAIN_SECONDS
        if not pending and sending.done():
            return
        if deadline is not None and time.perf_counter() > deadline:
            raise RuntimeError(f"{len(pending)} segments were not indexed in {DRAIN_SECONDS} s")
        asked = time.perf_counter()
        found = await _ids(rows, pending[:AT_ONCE])
        now = time.perf_counter()
        seen.update(found)
        watched.latencies_ms += [(now - broadcast.named_at[name]) * 1000 for name in found]
        # Looking must not take from the database what the indexer needs.
        await asyncio.sleep(max(LOOK_SECONDS, REST_FACTOR * (now - asked)))


async def _ids(rows, pending: Sequence[str]) -> list[str]:  # type: ignore[no-untyped-def]
    if not pending:
        return []
    found = rows.find({"_id": {"$in": list(pending)}, "state": "indexed"}, {"_id": 1})
    return [row["_id"] for row in await found.to_list(None)]
