"""A folder in memory, for what tests store and no test is about.

On a disk, a database of a test's own costs half a second of waiting for it: its indexes are written
durably one by one. In memory it costs a tenth of that.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
NEEDED_BYTES = 2 * 2**30
_PREFIX = "replay-buffer-tests-"


@contextmanager
def memory_folder(
    otherwise: Path, *, memory: Path = MEMORY, needed_bytes: int = NEEDED_BYTES
) -> Iterator[Path]:
    """An empty folder in `memory`, or `otherwise` where that has too little space.

    What a run left that was killed goes first.
    """
    if not memory.is_dir() or shutil.disk_usage(memory).free < needed_bytes:
        yield otherwise
        return
    for left in memory.glob(f"{_PREFIX}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(_PREFIX).partition("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{_PREFIX}{psutil.Process().pid}-", dir=memory, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
