"""The name that `ps -e`, `top` and `pkill` know a process by."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

PREFIX = "replay-"
"""Before the process's role; the kernel cuts the whole to 15 characters (proc(5), comm)."""


def tell(role: str) -> None:
    """Names this process. Call it in the main thread, whose name is the process's."""
    with suppress(OSError):  # without /proc it has none
        Path("/proc/self/comm").write_text(PREFIX + role)
