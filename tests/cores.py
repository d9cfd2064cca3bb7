"""How many cores the tests may use: `python -m tests.cores` prints how many workers that is.

A container may have fewer than the machine: its affinity or its control group (v2 or v1) says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

WORKERS = ((1.5, 1), (2.0, 2))
"""With fewer cores than this, so many workers; otherwise MOST_WORKERS."""

MOST_WORKERS = 3
"""Most tests wait for media, which comes no sooner: two cores wait for three tests at a time."""


def workers(cores: float) -> int:
    """How many tests to run at a time."""
    return next((number for fewer_than, number in WORKERS if cores < fewer_than), MOST_WORKERS)


def usable(root: Path = Path("/")) -> float:
    """The cores that this process may use; `root` is where `proc` and `sys` are."""
    return min([float(len(os.sched_getaffinity(0))), *_quotas(root)])


def _quotas(root: Path) -> Iterator[float]:
    """The limits of its control groups, and of all that they are in."""
    groups = root / "proc/self/cgroup"
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, path = line.split(":", 2)
        mounts = [""] if not controllers else [controllers, "cpu"]
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in mounts:
            top = root / "sys/fs/cgroup" / mount
            group = top / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(top):
                    yield from _quota(folder)


def _quota(folder: Path) -> Iterator[float]:
    """The limit of one control group, if it has one."""
    whole = folder / "cpu.max"
    quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
    if whole.exists():
        words = whole.read_text().split()
    elif quota.exists() and period.exists():
        words = [quota.read_text().strip(), period.read_text().strip()]
    else:
        return
    if words[0] not in ("max", "-1"):
        yield int(words[0]) / int(words[1])


if __name__ == "__main__":
    print(workers(usable()))
