"""Pictures drawn in the background: one poster and one sheet at a time, each once, users in turn.

A caller waits for a while. A picture that takes longer is drawn on, and is there for the next call.
Those of shares whose pictures take long are drawn beside all others: see `app.work.places`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
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
from app.models.metric_words import ErrorKind
from app.processes.bound_process import Limits, bound_process
from app.viewing.stills import Stills
from app.work.places import PieceOfWork, PutOff, Stint, WorkPlaces

PATIENCE_SECONDS = 20.0
"""Shorter than what proxies and players wait for."""
PROMPT_SECONDS = 3.0
"""The patience with those who show no name, from when a picture was asked for first: some times
what a poster takes. So long at most they hold places that are others', too."""
DRAWING_SECONDS = 600.0
"""Far more than 300 key frames take (4 s of processor time at 1080p), but they come last."""
LIMITS = Limits(memory_bytes=2**30, file_bytes=64 * 2**20, files=32, cpu_seconds=120)
"""Some times what 300 key frames of 3840x2160 take."""
BRIEF_SECONDS = 10.0
"""For a sheet while others wait. Half of their patience, some times what most sheets take."""
AT_ONCE = 2048
"""Pictures that are drawn or wait for it: for how many there is memory."""
_RETRY_SECONDS = 5
_LOOK_SECONDS = 0.25
_LAST_BYTES = 2_000
_ROOT = Path(app.__file__).parents[1]

Drawn = TypeVar("Drawn")
log = structlog.get_logger()


class DrawingFailed(ReplayError):
    slug, status, title = "drawing-failed", 500, "Pictures could not be drawn"


class Kind(Enum):
    """What is drawn, and how many of it one user may wait for at once.

    A page shows a poster for each clip, and a sheet where somebody points at. The indexes of movies
    count as posters: they are read by the same process.
    """

    POSTER = 64
    SHEET = 8


@dataclass(frozen=True)
class _Asked:
    user: str
    kind: Kind
    piece: PieceOfWork
    task: asyncio.Task[object]
    since: float


class Drawing:
    """What a process of the service draws. Close it in the loop that it was used in."""

    def __init__(
        self,
        stills: Stills | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        prompt_seconds: float = PROMPT_SECONDS,
        brief_seconds: float = BRIEF_SECONDS,
    ) -> None:
        self.stills = stills or Stills()
        self._patience_seconds = patience_seconds
        self._prompt_seconds = prompt_seconds
        self._places = {Kind.POSTER: WorkPlaces(1), Kind.SHEET: WorkPlaces(1, brief_seconds)}
        self._asked: dict[str, _Asked] = {}

    async def once(
        self,
        kind: Kind,
        name: str,
        make: Callable[[Stint], Awaitable[Drawn]],
        *,
        user: str,
        source: str,
        is_prompt: bool = False,
    ) -> Drawn:
        """What `make` gives. It runs once for all who ask under the same name at the same time.

        It waits for those of its kind that are drawn before it, and may be begun anew: see
        `app.work.places`. `source`: whose media it reads, by its share. `is_prompt`: what takes
        longer than PROMPT_SECONDS is waited for no more, whoever has. Raises TooManyRequests if the
        user waits for too many, Unavailable if too many wait in all, and when the patience is over;
        then `make` goes on.
        """
        if name in self._asked:
            self._asked[name].piece.also_for(user)
        else:
            self._check(kind, user)
            piece = self._places[kind].piece(user, source)
            begun: asyncio.Task[object] = asyncio.create_task(piece.run(make))
            self._asked[name] = _Asked(user, kind, piece, begun, time.monotonic())
            begun.add_done_callback(lambda task: self._over(name, task))
        asked = self._asked[name]
        task: asyncio.Task[Drawn] = asked.task  # type: ignore[assignment]  # same name, same make
        patience = self._patience_seconds
        if is_prompt:
            left = asked.since + self._prompt_seconds - time.monotonic()
            patience = min(patience, max(0.0, left))
        await asyncio.wait({task}, timeout=patience)
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


async def sheet(stint: Stint, planned: bytes) -> bytes:
    """The sheet of a plan of `app.media.sheets`; empty if it has no picture.

    Raises DrawingFailed, PutOff.
    """
    argv, pipe = [sys.executable, "-m", "app.media.sheets"], subprocess.PIPE
    with _memory() as drawn, _memory() as words:
        async with bound_process(
            argv, limits=LIMITS, cwd=_ROOT, stdin=pipe, stdout=drawn, stderr=words
        ) as process:
            talk = asyncio.create_task(process.communicate(planned))
            try:
                await _within(stint, talk)
            finally:
                talk.cancel()
        if process.returncode:
            stint.blame()
            metrics.ERRORS.labels(ErrorKind.DRAWING_FAILED).inc()
            words.seek(max(0, words.tell() - _LAST_BYTES))
            log.warning(
                "drawing_ended",
                code=process.returncode,
                last_words=words.read(_LAST_BYTES).decode(errors="replace"),
            )
            raise DrawingFailed("the service's log has what the drawing program said")
        drawn.seek(0)
        return drawn.read()


async def _within(stint: Stint, talk: asyncio.Task[object]) -> None:
    """Returns when the program has ended. Raises DrawingFailed, PutOff if it may not go on."""
    began = time.monotonic()
    while not (await asyncio.wait({talk}, timeout=_LOOK_SECONDS))[0]:
        seconds = time.monotonic() - began
        if seconds > DRAWING_SECONDS:
            raise DrawingFailed(f"it was not done within {DRAWING_SECONDS:g} s")
        if not stint.may_go_on(seconds):
            raise PutOff(f"others wait, after {seconds:.0f} s")
    await talk


def _memory() -> FileIO:
    """A file that holds what a program writes, so that its limit bounds it."""
    return FileIO(os.memfd_create("drawing"), "w+")
