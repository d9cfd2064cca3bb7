"""A disk of its own for a folder, so small that it can be filled: a tmpfs, which takes root."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.waiting import wait_for

BALLAST = "ballast"
_PIECE = bytes(1 << 20)


def can_mount() -> bool:
    """Whether this user may mount anything."""
    return os.geteuid() == 0


class SmallDisk:
    """What is mounted on `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @asynccontextmanager
    async def mounted(self, megabytes: int) -> AsyncIterator[SmallDisk]:
        """Mounts it until the block ends; what is on it is lost then."""
        self.folder.mkdir(parents=True)
        options = f"size={megabytes}m,mode=0755"
        await _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder))
        try:
            yield self
        finally:
            await unmount(self.folder)

    def fill(self) -> None:
        """Takes all the space that is left."""
        with (self.folder / BALLAST).open("ab", buffering=0) as ballast:
            piece = _PIECE
            while piece:
                try:
                    ballast.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece = piece[: len(piece) // 2]

    def empty(self) -> None:
        """Gives the space back."""
        (self.folder / BALLAST).unlink()

    async def protect(self) -> None:
        """Nothing can be written any more; waits for a moment in which nobody writes."""
        await wait_for(self._protected, what=f"{self.folder} is read-only", every=0.01)

    async def _protected(self) -> bool:
        return await _run("mount", "-o", "remount,ro", str(self.folder), may_fail=True)

    async def unprotect(self) -> None:
        await _run("mount", "-o", "remount,rw", str(self.folder))


async def unmount(folder: Path) -> None:
    """Takes a disk away, whoever still has files of it open."""
    await _run("umount", "--lazy", str(folder))


async def _run(*command: str, may_fail: bool = False) -> bool:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    told, _ = await process.communicate()
    if process.returncode and not may_fail:
        raise OSError(f"{' '.join(command)}: {told.decode().strip()}")
    return process.returncode == 0
