"""Copying between open files, inside the kernel where that can be.

Where a file system can't do that, the next way is taken: copy_file_range, sendfile, read and write.
How it says so differs: SMB answers EIO, seccomp EPERM, fuse-overlayfs EACCES, and some that there
was nothing to copy. So only the last way is believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

_READ_BYTES = 256 << 10

Way = Callable[[int, int, int, int], int]
"""Copies from one descriptor to another: from an offset on, at most so many bytes; how many."""


def _copy_in_kernel(source: int, destination: int, offset: int, count: int) -> int:
    return os.copy_file_range(source, destination, count, offset)


def _send(source: int, destination: int, offset: int, count: int) -> int:
    return os.sendfile(destination, source, offset, count)


def _copy_by_hand(source: int, destination: int, offset: int, count: int) -> int:
    block = os.pread(source, min(count, _READ_BYTES), offset)
    return os.write(destination, block) if block else 0


WAYS: tuple[Way, ...] = (_copy_in_kernel, _send, _copy_by_hand)


class Copier:
    """Copies by the first way that works, and stays with it.

    The error of the last one is raised, and its 0 says that the source ends there.
    """

    def __init__(self, ways: Sequence[Way] = WAYS) -> None:
        self._ways = list(ways)

    def __call__(self, source: int, destination: int, offset: int, count: int) -> int:
        while len(self._ways) > 1:
            with suppress(OSError):
                if copied := self._ways[0](source, destination, offset, count):
                    return copied
            del self._ways[0]
        return self._ways[0](source, destination, offset, count)
