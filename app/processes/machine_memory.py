"""How much memory this process and those that it starts may take together.

A container may have less than the machine: its control group (v2 or v1) says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from app.processes import control_groups

_MOST_BYTES = 2**60
"""More than any machine has: a limit above it is none, as v1 writes it."""


def usable_bytes(root: Path = Path("/")) -> int:
    """The memory of the machine, or of a control group around us; `root`: where `proc` is."""
    return min([_MOST_BYTES, *_machine(root), *_groups(root)])


def _machine(root: Path) -> Iterator[int]:
    told = re.search(
        r"^MemTotal: +(\d+) kB$", control_groups.text(root / "proc/meminfo"), re.MULTILINE
    )
    if told:
        yield int(told[1]) * 1024


def _groups(root: Path) -> Iterator[int]:
    """The limits of our control groups, and of all that they are in."""
    for folder in control_groups.folders(root, "memory"):
        for limit in (folder / "memory.max", folder / "memory.limit_in_bytes"):
            told = control_groups.text(limit).strip()
            if told.isdigit():  # "max": there is none
                yield int(told)
