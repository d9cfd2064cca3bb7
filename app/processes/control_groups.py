"""The control groups (v2 or v1) that this process is in: a container's limits stand there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of our groups for a controller, `cpu` or `memory`, and of all that they are in.

    `root`: where `proc` and `sys` are.
    """
    for line in text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        # the mount of v1 has the name of all that it is for, or of each
        for mount in {controllers, controller} if controllers else {""}:
            top = root / "sys/fs/cgroup" / mount
            group = top / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(top):
                    yield folder


def text(path: Path) -> str:
    """What stands in a file; nothing if it is not there, or not for us."""
    try:
        return path.read_text()
    except OSError:
        return ""
