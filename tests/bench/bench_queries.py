"""Lists and timelines of a small and of a large installation, through the real API.

Small: 1,000 segments and 100 clips. Large: 1,000,000 and 100,000 (`--quick`: a hundredth). Both
hold the same shares and clips of one caller, and are asked for these in turn.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial

import httpx

from tests.bench import bulk, measure
from tests.bench.bulk import SHARER, Size
from tests.bench.ground import Ground
from tests.bench.recorded import ROOM
from tests.bench.report import Result, percentile, result
from tests.bench.running import Installation, installation

SMALL = Size(1_000, 100)
LARGE = Size(1_000_000, 100_000)
QUICK = Size(10_000, 1_000)
REQUESTS = 100


async def run(ground: Ground) -> list[Result]:
    large = ground.pick(quick=QUICK, full=LARGE)
    async with (
        installation(ground, "few-rows", ("api",)) as few,
        installation(ground, "many-rows", ("api",)) as many,
    ):
        ground.say(f"writing {large.segments} segments")
        now = datetime.now(UTC)
        buffer = {many: await bulk.fill(many.ctx, large, now)}
        # Written last: both are as old when they are asked.
        buffer[few] = await bulk.fill(few.ctx, SMALL, now)
        ground.say("asking for lists and timelines")
        sizes = {few: SMALL, many: large}
        return await asyncio.to_thread(_measure, ground, sizes, buffer)


def _measure(
    ground: Ground, sizes: dict[Installation, Size], buffer: dict[Installation, str]
) -> list[Result]:
    clients = {each: each.client(SHARER) for each in sizes}
    ways = {}
    for each, client in clients.items():
        paths = {
            "buffers": f"/buffers?room={ROOM}",
            "timeline": f"/buffers/{buffer[each]}",
            "playlist": f"/buffers/{buffer[each]}/playlist.m3u8?last=600",
            "clips": "/clips?limit=50",
        }
        for query, path in paths.items():
            ways[query, each] = partial(_ask_ms, client, path)
    for ask in ways.values():
        ask()  # the first one finds everything cold
    samples = measure.loops(ways, ground.pick(quick=30, full=3 * REQUESTS))
    small = next(each for each, size in sizes.items() if size == SMALL)
    results = []
    for (query, each), times in samples.items():
        params = {"segments": sizes[each].segments, "clips": sizes[each].clips}
        results.append(result("query", query, params, "ms", times, samples[query, small]))
        if each is not small:
            growth = percentile(times, 0.99) / percentile(samples[query, small], 0.99)
            results.append(result("query_p99_growth", query, params, "x", [growth]))
    return results


def _ask_ms(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    milliseconds = (time.perf_counter() - began) * 1000
    if answer.status_code != httpx.codes.OK or len(answer.content) < 300:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
    return milliseconds
