"""Iterators that block as streams: read in threads, block by block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator


async def from_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The blocks of an iterator that blocks. A generator is closed, whatever ends the reading."""
    turn = threading.Lock()

    def step() -> bytes | None:
        with turn:
            return next(blocks, None)

    def close() -> None:
        # A cancelled reader leaves its thread within next(): close() waits for it.
        with turn:
            if isinstance(blocks, Generator):
                blocks.close()

    try:
        while (block := await asyncio.to_thread(step)) is not None:
            yield block
    finally:
        await asyncio.to_thread(close)
