"""Several runs of the benchmarks as one: a slow moment of one of them is no result. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tests.bench.report import Result


def joined(runs: Sequence[Sequence[Result]]) -> list[Result]:
    """One result for each thing that was measured, in the order of the first run that has it.

    Medians, ratios and 99th percentiles are the medians of the runs' own, extremes are of all runs,
    samples are counted together.
    """
    found: dict[object, list[Result]] = {}
    for one in (one for run in runs for one in run):
        found.setdefault((one.name, one.way, *sorted(one.params.items())), []).append(one)
    return [_one(same) for same in found.values()]


def _one(same: Sequence[Result]) -> Result:
    return replace(
        same[0],
        min=min(each.min for each in same),
        median=statistics.median(each.median for each in same),
        max=max(each.max for each in same),
        ratio=_median(each.ratio for each in same),
        p99=_median(each.p99 for each in same),
        count=sum(each.count for each in same),
    )


def _median(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def failures_of(runs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What failed in any of the runs, by benchmark: a later success takes no failure back."""
    told: dict[str, list[str]] = {}
    for number, failures in enumerate(runs, 1):
        for name, failure in failures.items():
            told.setdefault(name, []).append(f"run {number} of {len(runs)}: {failure}")
    return {name: "; ".join(each) for name, each in told.items()}
