"""How many cores the tests may use: `python -m tests.cores` prints how many workers that is.

A container may have fewer than the machine: its affinity or its control group (v2 or v1) says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from app.processes import control_groups

WORKERS = ((1.5, 1), (2.0, 2))
"""With fewer cores than this, so many workers; otherwise MOST_WORKERS."""

MOST_WORKERS = 4
"""Most tests wait for media, which comes no sooner: two cores wait for four tests at a time."""


def workers(cores: float) -> int:
    """How many tests to run at a time."""
    return next((number for fewer_than, number in WORKERS if cores < fewer_than), MOST_WORKERS)


def usable(root: Path = Path("/")) -> float:
    """The cores that this process may use; `root` is where `proc` and `sys` are."""
    return min([float(len(os.sched_getaffinity(0))), *_quotas(root)])


def _quotas(root: Path) -> Iterator[float]:
    """The limits of its control groups, and of all that they are in."""
    for folder in control_groups.folders(root, "cpu"):
        words = control_groups.text(folder / "cpu.max").split()
        if not words:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            words = [control_groups.text(folder / name).strip() for name in names]
        if all(word.isdigit() for word in words):  # "max" and -1: there is none
            yield int(words[0]) / int(words[1])


if __name__ == "__main__":
    print(workers(usable()))
