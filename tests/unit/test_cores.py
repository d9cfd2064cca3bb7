"""How many tests run at a time, by what a container may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cores import usable, workers

PRESENT = len(os.sched_getaffinity(0))


def machine(root: Path, groups: str, **files: str) -> Path:
    """A machine with these control groups; `/` in a name is written `__`."""
    for name, text in {"proc__self__cgroup": groups, **files}.items():
        path = root / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_control_groups_the_affinity_holds(tmp_path: Path) -> None:
    """As on a machine that has none."""
    assert usable(tmp_path) == PRESENT


@pytest.mark.parametrize(("limit", "cores"), [("50000 100000", 0.5), ("max 100000", PRESENT)])
def test_a_limit_of_a_group_of_version_2_holds(tmp_path: Path, limit: str, cores: float) -> None:
    """Also that of a group around it."""
    root = machine(tmp_path, "0::/pod/box\n", sys__fs__cgroup__pod__cpu_max=limit)
    assert usable(root) == cores


@pytest.mark.parametrize(("quota", "cores"), [("25000", 0.25), ("-1", PRESENT)])
def test_a_limit_of_a_group_of_version_1_holds(tmp_path: Path, quota: str, cores: float) -> None:
    """Where a container sees its own group at the top of the mount."""
    root = machine(
        tmp_path,
        "3:memory:/docker/1\n2:cpu,cpuacct:/docker/1\n",
        sys__fs__cgroup__cpu__cpu_cfs_quota_us=quota,
        sys__fs__cgroup__cpu__cpu_cfs_period_us="100000",
    )
    assert usable(root) == cores


@pytest.mark.parametrize(("cores", "at_a_time"), [(0.5, 1), (1.4, 1), (1.5, 2), (2, 4), (16, 4)])
def test_four_at_a_time_need_two_cores(cores: float, at_a_time: int) -> None:
    """More workers would share what two of them wait for."""
    assert workers(cores) == at_a_time
