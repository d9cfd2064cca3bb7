"""One clip from 1 to 60 minutes long: time by `cat`'s, and memory, which must not grow with it.

Longer media than was recorded is the same fragments again, under later times.
"""

from __future__ import annotations

from tests.bench import measure, ways
from tests.bench.bench_capture import job, listing
from tests.bench.ground import LONGEST_SECONDS, Ground
from tests.bench.report import Result, result

MINUTE_SECONDS = 60


def run(ground: Ground) -> list[Result]:
    results: list[Result] = []
    for minutes in ground.pick(quick=(1, 10), full=(1, 5, 10, 20, 40, 60)):
        ground.say(f"a clip of {minutes} min")
        repeats = max(1, minutes * MINUTE_SECONDS // LONGEST_SECONDS)
        seconds = minutes * MINUTE_SECONDS // repeats
        index = listing(ground, ground.full_hd, seconds, repeats)
        jobs = {way: job(ground, index, way) for way in ("cat", "ours")}
        with ways.makers(jobs) as makers:
            turns = {way: maker.make for way, maker in makers.items()}
            samples = measure.loops(turns, ground.pick(quick=1, full=5))
        plain = [made.cost.seconds for made in samples["cat"]]
        for way, made in samples.items():
            params = {"minutes": minutes}
            costs = [each.cost for each in made]
            results += [
                result("growth", way, params, "s", [cost.seconds for cost in costs], plain),
                result(
                    "growth_memory", way, params, "MB", [cost.peak_bytes / 1e6 for cost in costs]
                ),
            ]
    return results
