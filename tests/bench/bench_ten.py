"""Ten captures of the same media at once: of a bare worker's threads, and of the whole service.

`ours` plans and writes in ten threads of one process. `ours_request` is ten callers' requests to
the real service, fsync and verification included. Ratios are to one `cat` of the same loop, with
fsync where ours has it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.bench import measure, ways
from tests.bench.bench_capture import job, listing
from tests.bench.ground import Ground
from tests.bench.measure import Cost
from tests.bench.report import Param, Result, result
from tests.bench.requesting import SHARER, remove_clips, until_hashed, until_ready
from tests.bench.running import Installation
from tests.bench.ways import Made

CAPTURES = 10
POLL_SECONDS = 0.1
"""Ten callers that ask a hundred times a second each would keep both cores busy by themselves."""


def run(ground: Ground, running: Installation) -> list[Result]:
    ground.say(f"{CAPTURES} captures at once")
    seconds = ground.pick(quick=120, full=600)
    index = listing(ground, ground.full_hd, seconds)

    jobs = {"cat": job(ground, index, "cat"), "ours": job(ground, index, "ours", CAPTURES)}
    with ways.makers(jobs) as makers:
        turns = {
            (way, fsync): partial(makers[way].make, fsync=fsync)
            for way in jobs
            for fsync in (False, True)
        }
        accepted: list[float] = []
        turns["ours_request", True] = partial(_requests, running, seconds, accepted)
        samples = measure.loops(turns, ground.pick(quick=1, full=5))
    params: dict[str, Param] = {"captures": CAPTURES, "seconds": seconds}
    results = [result("ten_accepted", "ours_request", params, "ms", accepted)]
    for (way, fsync), made in samples.items():
        count = 1 if way == "cat" else CAPTURES
        params = {"captures": count, "seconds": seconds, "fsync": fsync}
        totals = [each.cost.seconds for each in made]
        alike = [each.cost.seconds for each in samples["cat", fsync]]
        memory = [each.cost.peak_bytes / 1e6 for each in made]
        results.append(result("ten_captures", way, params, "s", totals, alike))
        results.append(result("ten_captures_memory", way, params, "MB", memory))
        if way != "cat":
            each_done = [seconds for one in made for seconds in one.done_seconds]
            results.append(result("ten_captures_each", way, params, "s", each_done))
    return results


def _requests(running: Installation, seconds: int, accepted: list[float]) -> Made:
    """As `ways.make`, by ten callers of the service; `accepted`: what their answers took, in ms."""
    api, worker = running.pids("api", "worker")
    idle = measure.resident_bytes(worker)
    measure.reset_peak(worker)
    before = measure.cpu_seconds_of([api, worker])
    clients = [running.client(SHARER) for _ in range(CAPTURES)]
    with ThreadPoolExecutor(CAPTURES) as threads:
        ready = list(threads.map(lambda one: until_ready(one, seconds, POLL_SECONDS), clients))
    cpu_seconds = measure.cpu_seconds_of([api, worker]) - before
    peak = max(0, measure.peak_bytes(worker) - idle)
    for one in ready:
        until_hashed(clients[0], one.clip_id)
    remove_clips(running)
    accepted += [one.accepted_seconds * 1000 for one in ready]
    done = [one.seconds for one in ready]
    return Made(Cost(max(done), cpu_seconds, peak), done)
