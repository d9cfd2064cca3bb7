"""The folder in which the service's processes add up what they count, new for each run.

A supervisor that is killed leaves its folder behind. The lock on it, which the kernel lets go of
then, tells that nobody needs it any more: the next supervisor removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "replay-metrics-"


@contextmanager
def counters_folder(temporary: Path) -> Iterator[Path]:
    """Makes the folder in a folder for temporary files; removes it at the end, and those left."""
    for path in temporary.glob(f"{PREFIX}*"):
        _remove_if_left(path)
    path, descriptor = _made(temporary)
    try:
        yield path
    finally:
        shutil.rmtree(path)
        os.close(descriptor)


def _made(temporary: Path) -> tuple[Path, int]:
    """A new folder and an open descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary))
        # Another supervisor that starts right now may take it for one that was left.
        with suppress(FileNotFoundError, BlockingIOError):
            descriptor = _locked(path)
            if path.exists():
                return path, descriptor
            os.close(descriptor)


def _locked(path: Path) -> int:
    """An open descriptor that holds a folder's lock. Raises BlockingIOError if another does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_left(path: Path) -> None:
    # Others write there, too: what is not a folder of our own user's is none of our business.
    with suppress(OSError):
        if path.lstat().st_uid != os.getuid():
            return
        descriptor = _locked(path)
        try:
            shutil.rmtree(path)
        finally:
            os.close(descriptor)
