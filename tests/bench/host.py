"""The machine that is measured on, and how busy it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """What decides how fast things are here."""
    return {
        "cpu": _line("/proc/cpuinfo", r"model name\s*:\s*(.+)"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(_line("/proc/meminfo", r"MemTotal:\s*(\d+) kB") or 0) * 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "ffmpeg": _first_words(["ffmpeg", "-version"], 3),
        "cat": _first_words(["cat", "--version"], 4),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def file_system(path: Path) -> str:
    """The type of the file system that a path lies on, such as `ext4`."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    found = max(
        (mount for mount in mounts if path.resolve().is_relative_to(mount[0])),
        key=lambda mount: len(mount[0]),
        default=["", "unknown"],
    )
    return found[1]


def load() -> list[float]:
    """Processes that run or wait to: the averages over 1, 5 and 15 minutes."""
    return [round(average, 2) for average in os.getloadavg()]


def commit(repository: Path) -> str:
    """The code that is measured: its commit, with a + if files differ from it."""
    git = ["git", "-C", str(repository)]
    name = _first_words([*git, "rev-parse", "--short", "HEAD"], 1)
    return name + "+" * bool(_first_words([*git, "status", "--porcelain"], 1))


def _line(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text())
    return found.group(1).strip() if found else ""


def _first_words(command: list[str], count: int) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return " ".join(answer.split()[:count])
