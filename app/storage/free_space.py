"""How much room there is on a disk."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path


async def free_bytes(folder: Path) -> int:
    """Free space on the disk of a folder, as an ordinary user sees it. Raises OSError."""
    return (await asyncio.to_thread(shutil.disk_usage, folder)).free
