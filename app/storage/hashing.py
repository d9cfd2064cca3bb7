"""Hashes of what is kept: one at a time, behind everything else that wants the processor."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from app.storage import clip_files

# Captures are being made.
_thread = ThreadPoolExecutor(
    1, "hashing", initializer=partial(os.setpriority, os.PRIO_PROCESS, 0, 19)
)


async def sha256_of_file(path: Path) -> str:
    """The hash of a file's bytes, 64 hex digits. Raises FileNotFoundError."""
    return await asyncio.get_running_loop().run_in_executor(_thread, clip_files.sha256, path)


async def sha256_of_blocks(blocks: AsyncIterator[bytes]) -> str:
    """The hash of all blocks."""
    digest = hashlib.sha256()
    async for block in blocks:
        await asyncio.get_running_loop().run_in_executor(_thread, digest.update, block)
    return digest.hexdigest()
