"""From POST /captures to a clip that is ready, through the real api and worker, on real stores.

The job's own fsync, verification and rows are in it, and up to 10 ms until it is seen to be ready;
the checksum comes after.
"""

from __future__ import annotations

from functools import partial

from tests.bench import measure, ways
from tests.bench.bench_capture import job, listing
from tests.bench.ground import Ground
from tests.bench.measure import Cost
from tests.bench.report import Result, result
from tests.bench.requesting import SHARER, request_cost
from tests.bench.running import Installation
from tests.bench.ways import Maker


def run(ground: Ground, running: Installation) -> list[Result]:
    results: list[Result] = []
    for seconds in ground.pick(quick=(600,), full=(30, 120, 300, 600)):
        ground.say(f"capture of {seconds} s by request")
        results += _measure(ground, running, seconds)
    return results


def _measure(ground: Ground, running: Installation, seconds: int) -> list[Result]:
    index = listing(ground, ground.full_hd, seconds)
    client = running.client(SHARER)

    request_cost(running, client, 10)  # the first one finds everything cold
    with ways.makers({"cat": job(ground, index, "cat")}) as makers:
        turns = {("cat", fsync): partial(_cost, makers["cat"], fsync) for fsync in (False, True)}
        turns["ours_request", True] = partial(request_cost, running, client, seconds)
        samples = measure.loops(turns, ground.pick(quick=3, full=9))
    plain = samples["cat", False]
    results = []
    for (way, fsync), costs in samples.items():
        params = {"seconds": seconds, "fsync": fsync}
        results += [
            result(
                "request",
                way,
                params,
                "s",
                [cost.seconds for cost in costs],
                [cost.seconds for cost in plain],
            ),
            result(
                "request_cpu",
                way,
                params,
                "s",
                [cost.cpu_seconds for cost in costs],
                [cost.cpu_seconds for cost in plain],
            ),
            result("request_memory", way, params, "MB", [cost.peak_bytes / 1e6 for cost in costs]),
        ]
    return results


def _cost(maker: Maker, fsync: bool) -> Cost:
    return maker.make(fsync=fsync).cost
