"""Processes of one program for the work of many users, none of whom keeps the others waiting.

Suspects (`app.work.places`) have a process of their own: others' media is in none that they may
have taken over. A caller has a Stint, and asks in a thread of the pool's own, so that no other
thread waits for what strangers have encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from app.processes.bound_pool import (
    BoundPool,
    LimitReached,
    PoolClosed,
    ProgramAnswer,
    ProgramEnded,
)
from app.processes.bound_process import Limits
from app.work import threads
from app.work.places import ORDINARY, PutOff, Stint

_Given = ParamSpec("_Given")
_Outcome = TypeVar("_Outcome")


class SharedPool:
    """Processes of one program (`app.processes.bound_service`), until it is closed."""

    def __init__(self, program: str, limits: Limits) -> None:
        self._ordinary = BoundPool(program, limits, ORDINARY)
        self._suspects = BoundPool(program, limits, 1)
        self._threads = ThreadPoolExecutor(ORDINARY + 1, program.rpartition(".")[2])
        self._is_closed = False

    def prepare(self) -> Future[None]:
        """Starts a process, so that the first request needn't wait for it. Raises NotStarted."""
        return self._threads.submit(self._ordinary.prepare)

    async def in_thread(
        self,
        stint: Stint,
        work: Callable[_Given, _Outcome],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Outcome:
        """Does work that blocks in a thread of the pool's. Cancelled, it stops the stint."""
        if self._is_closed:
            raise PoolClosed("it stops")
        # Its place is free when its process is, or a user who cancels much would have them all.
        return await threads.to_its_end(
            self._threads, partial(work, *args, **kwargs), hurry=stint.stop
        )

    def ask(
        self,
        stint: Stint,
        request: bytes,
        given: int,
        take: Callable[[ProgramAnswer], _Outcome],
    ) -> _Outcome:
        """What `take` makes of the answer to a request with an open file: see BoundPool. Blocks.

        Raises PutOff, too: if others wait for too long, or if a process ends the first time. That
        may be the system's fault, or that of what it worked on before. A request that has taken
        all the time there is for it has no other stint: nobody is to pay for it twice.
        """
        pool = self._suspects if stint.is_suspect else self._ordinary
        try:
            return pool.ask(request, given, take, stint.may_go_on)
        except LimitReached:
            stint.blame()
            raise
        except ProgramEnded as error:
            stint.blame()
            if stint.is_suspect:
                raise
            raise PutOff(str(error)) from error

    def close(self) -> None:
        """Ends all processes, within a request too. From now on asking raises PoolClosed."""
        self._is_closed = True
        self._ordinary.close()
        self._suspects.close()
        self._threads.shutdown()
