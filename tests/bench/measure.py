"""Measuring: shuffled loops, and what a piece of work cost its process and that one's children."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

Key = TypeVar("Key")
Sample = TypeVar("Sample")


@dataclass(frozen=True)
class Cost:
    """Wall clock, CPU of all threads and ended children, and memory.

    `peak_bytes`: resident at most; of work in this process, above what it held before.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def loops(
    ways: Mapping[Key, Callable[[], Sample]],
    repeats: int,
    fewer: Mapping[Key, int] | None = None,
    *,
    seed: int = 1,
) -> dict[Key, list[Sample]]:
    """Runs every way once in each of `repeats` loops, in another order each time.

    Sample i of any way comes from loop i, so what else the machine did then, it did to all. A slow
    way can take part in the first loops only: `fewer` says in how many.
    """
    order = list(ways)
    shuffle = random.Random(seed).shuffle
    samples: dict[Key, list[Sample]] = {key: [] for key in order}
    for loop in range(repeats):
        shuffle(order)
        for key in order:
            if loop < (fewer or {}).get(key, repeats):
                samples[key].append(ways[key]())
    return samples


def cost(work: Callable[[], object]) -> Cost:
    """What `work` costs this process; children that it runs and waits for count for CPU."""
    before = resident_bytes()
    reset_peak()
    cpu, began = _cpu_seconds(), time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return Cost(seconds, _cpu_seconds() - cpu, max(0, peak_bytes() - before))


def _cpu_seconds() -> float:
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


def reset_peak(pid: int | None = None) -> None:
    """Lets a process's peak begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid or os.getpid()}/clear_refs").write_text("5")


def peak_bytes(pid: int | None = None) -> int:
    """Most memory a process held since its start or the last `reset_peak`; 0 if it has ended."""
    return _status(pid, "VmHWM")


def resident_bytes(pid: int | None = None) -> int:
    """Memory a process holds; 0 if it has ended."""
    return _status(pid, "VmRSS")


def _status(pid: int | None, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in lines:
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0  # one that has ended and was not waited for yet


def cpu_seconds_of(pids: Iterable[int]) -> float:
    """CPU that running processes and their children have used so far; resolution 1/100 s each.

    See proc(5), stat. Children that have ended count, too.
    """
    ticks = 0
    for each in (member for pid in pids for member in family(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A running process and all that it has started, as long as they run."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def children_cpu_seconds() -> float:
    """CPU that our running children have used so far, to the nanosecond (schedstat of proc(5))."""
    threads = [
        thread
        for child in psutil.Process().children()
        for thread in Path(f"/proc/{child.pid}/task").iterdir()
    ]
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9
