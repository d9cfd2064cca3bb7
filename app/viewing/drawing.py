"""Pictures drawn in the background: one poster and one sheet at a time, each once, users in turn.

A caller waits for a while. A picture that takes longer is drawn on, and is there for the next call.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import TypeVar

import structlog

import app
from app import metrics
from app.errors import ReplayError, TooManyRequests, Unavailable
from app.processes.bound_process import Limits, bound_process
from app.viewing.stills import Stills
from app.work.turns import Turn, Turns

PATIENCE_SECONDS = 20.0
"""Shorter than what proxies and players wait for."""
DRAWING_SECONDS = 600.0
"""Far more than 300 key frames take (4 s of processor time at 1080p), but they come last."""
LIMITS = Limits(memory_bytes=2**30, file_bytes=64 * 2**20, files=32, cpu_seconds=120)
"""Some times what 300 key frames of 3840x2160 take."""
AT_ONCE = 2048
"""Pictures that are drawn or wait for it: for how many there is memory."""
_RETRY_SECONDS = 5
_LAST_BYTES = 2_000
_ROOT = Path(app.__file__).parents[1]

Drawn = TypeVar("Drawn")
log = structlog.get_logger()


class DrawingFailed(ReplayError):
    slug, status, title = "drawing-failed", 500, "The pictures could not be drawn"


class Kind(Enum):
    """What is drawn, and how many of it one user may wait for at once.

    A page shows a poster for each clip, and a sheet where somebody points at.
    """

    POSTER = 64
    SHEET = 8


@dataclass(frozen=True)
class _Asked:
    user: str
    kind: Kind
    turn: Turn
    task: asyncio.Task[object]


class Drawing:
    """What a process of the service draws. Close it in the loop that it was used in."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.stills = Stills()
        self._patience_seconds = patience_seconds
        self._turns = {kind: Turns() for kind in Kind}
        self._asked: dict[str, _Asked] = {}

    async def once(
        self, kind: Kind, name: str, user: str, make: Callable[[], Awaitable[Drawn]]
    ) -> Drawn:
        """What `make` gives. It runs once for all who ask under the same name at the same time.

        It waits for those of its kind that are drawn before it: see `Turns`. Raises TooManyRequests
        if the user waits for too many, Unavailable if too many wait in all, and when the patience
        is over; then `make` goes on.
        """
        if name in self._asked:
            self._asked[name].turn.also_for(user)
        else:
            self._check(kind, user)
            turn = self._turns[kind].turn(user)
            begun: asyncio.Task[object] = asyncio.create_task(_in_turn(turn, make))
            self._asked[name] = _Asked(user, kind, turn, begun)
            begun.add_done_callback(lambda task: self._over(name, task))
        task: asyncio.Task[Drawn] = self._asked[name].task  # type: ignore[assignment]  # same name, same make
        await asyncio.wait({task}, timeout=self._patience_seconds)
        if not task.done():
            raise Unavailable("the pictures are being drawn: ask again", retry_after=_RETRY_SECONDS)
        return task.result()

    async def close(self) -> None:
        """Ends what is being drawn."""
        tasks = [each.task for each in self._asked.values()]
        for task in tasks:
            task.cancel()
        self.stills.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check(self, kind: Kind, user: str) -> None:
        theirs = sum(each.user == user and each.kind is kind for each in self._asked.values())
        if theirs >= kind.value:
            raise TooManyRequests(
                f"{theirs} pictures of this kind ({kind.name.lower()}) are drawn for you or wait "
                f"for it; at most {kind.value} may: ask again when you have some of them",
                retry_after=_RETRY_SECONDS,
                limit=kind.value,
            )
        if len(self._asked) >= AT_ONCE:
            raise Unavailable("too many pictures wait to be drawn", retry_after=_RETRY_SECONDS)

    def _over(self, name: str, task: asyncio.Task[object]) -> None:
        del self._asked[name]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ReplayError):
            log.error("drawing_broken", drawing=name, error=repr(error))


async def _in_turn(turn: Turn, make: Callable[[], Awaitable[Drawn]]) -> Drawn:
    async with turn:
        return await make()


async def sheet(planned: bytes) -> bytes:
    """The sheet of a plan of `app.media.sheets`; empty if it has no picture.

    Raises DrawingFailed.
    """
    argv, pipe = [sys.executable, "-m", "app.media.sheets"], subprocess.PIPE
    with _memory() as drawn, _memory() as words:
        try:
            async with (
                bound_process(
                    argv, limits=LIMITS, cwd=_ROOT, stdin=pipe, stdout=drawn, stderr=words
                ) as process,
                asyncio.timeout(DRAWING_SECONDS),
            ):
                await process.communicate(planned)
        except TimeoutError as error:
            raise DrawingFailed(f"it was not done within {DRAWING_SECONDS:g} s") from error
        if process.returncode:
            metrics.ERRORS.labels("drawing_failed").inc()
            words.seek(max(0, words.tell() - _LAST_BYTES))
            log.warning(
                "drawing_ended",
                code=process.returncode,
                last_words=words.read(_LAST_BYTES).decode(errors="replace"),
            )
            raise DrawingFailed("the service's log has what the drawing program said")
        drawn.seek(0)
        return drawn.read()


def _memory() -> FileIO:
    """A file that holds what a program writes, so that its limit bounds it."""
    return FileIO(os.memfd_create("drawing"), "w+")
