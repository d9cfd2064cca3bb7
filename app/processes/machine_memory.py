"""How much memory this process and those that it starts may take together.

A container may have less than the machine: its control group (v2 or v1) says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 2**60
"""More than any machine has: a limit above it is none, as v1 writes it."""


def usable_bytes(root: Path = Path("/")) -> int:
    """The memory of the machine, or of a control group around us; `root`: where `proc` is."""
    return min([_MOST_BYTES, *_machine(root), *_groups(root)])


def _machine(root: Path) -> Iterator[int]:
    told = re.search(r"^MemTotal: +(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    if told:
        yield int(told[1]) * 1024


def _groups(root: Path) -> Iterator[int]:
    """The limits of our control groups, and of all that they are in."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(top):
                for name in ("memory.max", "memory.limit_in_bytes"):
                    told = _text(folder / name).strip()
                    if told.isdigit():  # "max": there is none
                        yield int(told)


def _text(path: Path) -> str:
    """What stands in a file; nothing if it is not there, or not for us."""
    try:
        return path.read_text()
    except OSError:
        return ""
