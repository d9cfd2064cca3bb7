"""A file that is read while it is sent, block by block, by threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True)
class OpenFile:
    """A file held open, so that it is sent whole even if it is deleted meanwhile."""

    descriptor: int
    size_bytes: int
    modified_ns: int

    @property
    def tag(self) -> str:
        return ""  # it is held

    @property
    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end) of the file. Raises EOFError if it has been cut short."""
        while start < end:
            count = min(BLOCK_BYTES, end - start)
            block = await asyncio.to_thread(os.pread, self.descriptor, count, start)
            if not block:
                raise EOFError(f"the file ends at byte {start}, {end} was its size")
            start += len(block)
            yield block

    async def close(self) -> None:
        os.close(self.descriptor)

    @contextmanager
    def until_answered(self) -> Iterator[None]:
        """Closes it if the block raises; otherwise the answer closes it."""
        try:
            yield
        except BaseException:
            os.close(self.descriptor)
            raise


async def open_file(path: Path) -> OpenFile:
    """Opens a file for `app.api.ranges.answer`. Raises FileNotFoundError."""
    return await asyncio.to_thread(_open, path)


def _open(path: Path) -> OpenFile:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    facts = os.fstat(descriptor)
    return OpenFile(descriptor, facts.st_size, facts.st_mtime_ns)
