"""How much room there is on a disk: for bytes and, where it holds only so many, for files."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

FREE_FILES_MIN = 1_000
"""About as many files as a share makes in ten minutes, with its egress's."""


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """What an ordinary user may take of a disk.

    `free_files` is None where a file takes no more than its bytes, as on btrfs and exFAT.
    """

    free_bytes: int
    total_bytes: int
    free_files: int | None

    @classmethod
    def of(cls, folder: Path) -> FreeSpace:
        """That of a folder's disk. Blocks. Raises OSError."""
        told = os.statvfs(folder)
        free_files = told.f_favail if told.f_files else None
        return cls(told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize, free_files)

    def is_short(self, least_bytes: int) -> bool:
        """Whether fewer bytes than that are left, or fewer files than FREE_FILES_MIN."""
        return self.free_bytes < least_bytes or self.lacks_files

    @property
    def lacks_files(self) -> bool:
        return self.free_files is not None and self.free_files < FREE_FILES_MIN


async def free_space(folder: Path) -> FreeSpace:
    """That of a folder's disk. Raises OSError."""
    return await asyncio.to_thread(FreeSpace.of, folder)


async def free_bytes(folder: Path) -> int:
    """The bytes of it. Raises OSError."""
    return (await free_space(folder)).free_bytes
