"""Sprite sheets drawn in the background: one at a time, at low priority, each once.

A caller waits for a while. A sheet that takes longer is drawn on, and is there for the next call.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog

import app
from app import metrics
from app.errors import ReplayError, Unavailable
from app.processes.bound_process import bound_process

PATIENCE_SECONDS = 20.0
"""Shorter than what proxies and players wait for."""
DRAWING_SECONDS = 600.0
"""Far more than 300 key frames take (4 s of processor time at 1080p), but they come last."""
AT_ONCE = 32
"""Sheets that are drawn or wait for it."""
_RETRY_SECONDS = 5
_ROOT = Path(app.__file__).parents[1]

Drawn = TypeVar("Drawn")
log = structlog.get_logger()


class DrawingFailed(ReplayError):
    slug, status, title = "drawing-failed", 500, "The pictures could not be drawn"


class Drawing:
    """What a process of the service draws. Close it in the loop that it was used in."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._one = asyncio.Semaphore(1)
        self._tasks: dict[str, asyncio.Task[object]] = {}

    async def once(self, name: str, make: Callable[[], Awaitable[Drawn]]) -> Drawn:
        """What `make` gives. It runs once for all who ask under the same name at the same time.

        Raises Unavailable if too many wait, and when the patience is over; then `make` goes on.
        """
        if name not in self._tasks:
            if len(self._tasks) >= AT_ONCE:
                raise Unavailable("too many pictures wait to be drawn", retry_after=_RETRY_SECONDS)
            self._tasks[name] = asyncio.create_task(_of(make))
            self._tasks[name].add_done_callback(lambda task: self._over(name, task))
        task: asyncio.Task[Drawn] = self._tasks[name]  # type: ignore[assignment]  # same name, same make
        await asyncio.wait({task}, timeout=self._patience_seconds)
        if not task.done():
            raise Unavailable("the pictures are being drawn: ask again", retry_after=_RETRY_SECONDS)
        return task.result()

    async def sheet(self, planned: bytes) -> bytes:
        """The sheet of a plan of `app.media.sheets`; empty if it has no picture.

        Raises DrawingFailed.
        """
        async with self._one:
            return await _run(planned)

    async def close(self) -> None:
        """Ends what is being drawn."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, name: str, task: asyncio.Task[object]) -> None:
        del self._tasks[name]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ReplayError):
            log.error("drawing_broken", drawing=name, error=repr(error))


async def _of(make: Callable[[], Awaitable[Drawn]]) -> Drawn:
    return await make()


async def _run(planned: bytes) -> bytes:
    argv, pipe = [sys.executable, "-m", "app.media.sheets"], subprocess.PIPE
    try:
        async with (
            bound_process(argv, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process,
            asyncio.timeout(DRAWING_SECONDS),
        ):
            sheet, said = await process.communicate(planned)
    except TimeoutError as error:
        raise DrawingFailed(f"it was not done within {DRAWING_SECONDS:g} s") from error
    if process.returncode:
        metrics.ERRORS.labels("drawing_failed").inc()
        log.warning(
            "drawing_ended",
            code=process.returncode,
            last_words=said[-2000:].decode(errors="replace"),
        )
        raise DrawingFailed("the service's log has what the drawing program said")
    return sheet
