"""Turns of files that are published, so that not all are in memory that wait for a store.

While a store is away a file may wait for longer than anything keeps what it is made of: then its
part is made whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from app import metrics
from app.errors import StorageFull, StoreAway
from app.models.metric_words import ErrorKind
from app.storage import composition

PATIENCE_SECONDS = 20.0
"""A turn comes sooner than that, or the store is about to be found away."""

log = structlog.get_logger()


class PublishTurns:
    """So many files at once."""

    def __init__(self, count: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._free = asyncio.Semaphore(count)
        self._patience_seconds = patience_seconds
        self._is_away = False

    @asynccontextmanager
    async def turn(self, path: Path) -> AsyncIterator[None]:
        """The turn of a part, or of the list of one. What raises StoreAway in it waits on."""
        if self._is_away and self._free.locked():
            await _make_whole(path)
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            await _make_whole(path)
            await self._free.acquire()
        try:
            yield
            self._is_away = False
        except StoreAway:
            self._is_away = True
            await _make_whole(path)
            raise
        finally:
            self._free.release()


async def _make_whole(path: Path) -> None:
    """Makes a part whole, if it can be; if not, it has its pins, and the next attempt tries."""
    try:
        await asyncio.to_thread(composition.make_whole, path)
    except StorageFull as error:
        metrics.ERRORS.labels(ErrorKind.STORAGE_FULL).inc()
        log.warning("part_not_made_whole", part=path.name, error=str(error))
    except FileNotFoundError as error:
        log.warning("part_not_made_whole", part=path.name, error=str(error))
