"""How much memory there is for what we start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.processes import machine_memory
from app.processes.bound_process import MEMORY_FRACTION, Limits

MEMINFO = "MemTotal:        4194304 kB\nMemFree:         1000 kB\n"
MIB = 2**20


def there(root: Path, **files: str) -> int:
    """With files of these contents; `__` stands for `/` in their names."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return machine_memory.usable_bytes(root)


def test_it_is_that_of_the_machine_or_of_the_smallest_group_around_us(tmp_path: Path) -> None:
    assert there(tmp_path, proc__meminfo=MEMINFO) == 4096 * MIB
    groups = {"proc__self__cgroup": "0::/pod/box\n"}
    assert there(tmp_path, **groups) == 4096 * MIB
    limits = {"sys__fs__cgroup__pod__memory.max": f"{512 * MIB}\n"}
    assert there(tmp_path, **limits) == 512 * MIB
    own = {"sys__fs__cgroup__pod__box__memory.max": "max\n"}
    assert there(tmp_path, **own) == 512 * MIB


def test_of_the_first_version_only_the_group_for_memory_counts(tmp_path: Path) -> None:
    groups = "5:cpu,cpuacct:/box\n4:memory:/box\n"
    most = {"sys__fs__cgroup__memory__memory.limit_in_bytes": "9223372036854771712\n"}
    found = there(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup=groups, **most)
    assert found == 4096 * MIB
    box = {"sys__fs__cgroup__memory__box__memory.limit_in_bytes": f"{256 * MIB}\n"}
    assert there(tmp_path, **box) == 256 * MIB


@pytest.mark.parametrize("asked", [2**20, 2**50])
def test_no_process_may_take_more_than_half_of_what_there_is(asked: int) -> None:
    most = int(MEMORY_FRACTION * machine_memory.usable_bytes())
    assert Limits(memory_bytes=asked).by_name()["DATA"] == min(asked, most)
