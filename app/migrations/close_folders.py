"""Clips, their pictures and fragments are for our user alone: egress may be of our group."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from pymongo.asynchronous.database import AsyncDatabase

from app.storage.confined import member

_OURS = ("fragments", "replays", "thumbnails")

log = structlog.get_logger()


async def migrate(_database: AsyncDatabase[dict[str, Any]], media_root: Path) -> None:
    """Closes the folders that there are. One that can't be is told of, and stays for the doctor."""
    for name in _OURS:
        try:
            await asyncio.to_thread(member(media_root, name).chmod, 0o700)
        except FileNotFoundError:
            continue  # when it is made it is closed
        except OSError as error:
            log.warning("folder_not_closed", folder=name, error=str(error))
