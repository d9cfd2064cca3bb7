"""Processes that work on what strangers have encoded: one, and more only while it does not get on.

Whatever a request does to the process that works on it, its caller goes on, with another one.
Each has limits of memory, files and processor time, and none of our secrets. All calls block: run
them in threads that live as long as the pool, since a process ends with the thread that started it.
Whose requests are worked on at the same time is not decided here: see `app.processes.shared_pool`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import app
from app import metrics
from app.models.metric_words import ErrorKind
from app.processes.bound_exec import bound_argv
from app.processes.bound_process import Limits, harmless_environment
from app.processes.bound_service import MESSAGE_BYTES, READY

START_SECONDS = 60.0
REQUEST_SECONDS = 30.0
"""By the wall clock, for a machine that does much else. The processor time is bounded far below."""
STUCK_SECONDS = 0.3
"""One that works on a request for so long keeps the others waiting: they get another process."""
_LOOK_SECONDS = 0.1
"""How often one that does not answer is asked whether it may go on."""
_LAST_SECONDS = 1.0
_KEPT_BYTES = 8 * 2**20
"""Memory of an output that is kept for the next one: making it anew costs as much as copying it."""
_ROOT = Path(app.__file__).parents[1]

Taken = TypeVar("Taken")


class ProgramEnded(Exception):
    """The process is gone, or was ended, in the middle of a request; or says what can't be."""


class LimitReached(ProgramEnded):
    """It has taken all the time that one request may take."""


class NotStarted(OSError):
    """No process can be started, or the one that was did not begin to serve."""


class PoolClosed(NotStarted):
    """Nothing is asked of the pool any more: its owner stops."""


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """What a program says. It may be in the hands of a stranger: check all of it.

    `message` is of MESSAGE_BYTES at most. `output` is a file that it may still change.
    """

    message: bytes
    output: int

    def read(self, size_bytes: int) -> bytes:
        """The first bytes of the output. Raises ProgramEnded if there are fewer."""
        data = os.pread(self.output, size_bytes, 0)
        if len(data) != size_bytes:
            raise ProgramEnded(f"it wrote {len(data)} bytes of {size_bytes}")
        return data


class BoundPool:
    """At most so many processes of one program (`app.processes.bound_service`), until it is closed.

    The first one is started when it is asked for.
    """

    def __init__(
        self, program: str, limits: Limits, at_most: int, start_seconds: float = START_SECONDS
    ) -> None:
        self._started = partial(_Process, program, limits, start_seconds)
        self._at_most = at_most
        self._changed = threading.Condition()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._kept = 1
        """How many wait for work; one more since there was need of it."""
        self._is_closed = False

    def prepare(self) -> None:
        """Starts a process, if there is none, so that the first request needn't wait for it.

        Raises NotStarted.
        """
        with self._changed:
            if not (self._is_closed or self._idle or self._busy):
                self._idle.append(self._started())

    def ask(
        self,
        request: bytes,
        given: int,
        take: Callable[[ProgramAnswer], Taken],
        may_go_on: Callable[[float], bool],
    ) -> Taken:
        """What `take` makes of the answer to a request with an open file.

        The process waits for `take` to return. If `take` finds the answer impossible, it raises
        ProgramEnded, and the process is replaced. `may_go_on` is asked now and then, with the
        seconds since the process began; if it says no the process is ended. Raises what `take`
        does, ProgramEnded, LimitReached, NotStarted.
        """
        with self._answer(request, given, may_go_on) as answer:
            return take(answer)

    @contextmanager
    def _answer(
        self, request: bytes, given: int, may_go_on: Callable[[float], bool]
    ) -> Iterator[ProgramAnswer]:
        process = self._take()
        is_ruined = False
        try:
            yield process.ask(request, given, may_go_on)
        except ProgramEnded:
            is_ruined = True
            if self._is_closed:
                raise PoolClosed("it stops") from None
            raise
        finally:
            self._give_back(process, is_ruined=is_ruined)

    def close(self) -> None:
        """Ends all processes, within a request too. From now on asking raises PoolClosed."""
        with self._changed:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for process in self._busy:
                process.kill()
            self._changed.notify_all()
        for process in idle:
            process.end()

    def _take(self) -> _Process:
        with self._changed:
            while True:
                if self._is_closed:
                    raise PoolClosed("it stops")
                process = self._waiting() or self._another()
                if process is not None:
                    self._busy.add(process)
                    return process
                is_full = len(self._busy) >= self._at_most
                self._changed.wait(None if is_full else self._rest_seconds())

    def _waiting(self) -> _Process | None:
        """One that has nothing to do, and has not ended since."""
        while self._idle:
            process = self._idle.pop()
            if process.is_alive():
                process.asked_at = process.asked_at and time.monotonic()
                return process
            process.end()
        return None

    def _another(self) -> _Process | None:
        """A new one, if none of those there gets on."""
        if self._busy and (len(self._busy) >= self._at_most or self._rest_seconds() > 0):
            return None
        if self._busy:
            self._kept = 2
        return self._started()

    def _rest_seconds(self) -> float:
        """How long the one that was asked last may still keep others waiting.

        One that still starts is for somebody else who waits.
        """
        now = time.monotonic()
        asked_at = [process.asked_at for process in self._busy if process.asked_at is not None]
        return max(asked_at, default=now) + STUCK_SECONDS - now

    def _give_back(self, process: _Process, *, is_ruined: bool) -> None:
        if is_ruined:
            metrics.ERRORS.labels(ErrorKind.MEDIA_PROCESS_ENDED).inc()
        with self._changed:
            self._busy.remove(process)
            if is_ruined and not self._is_closed:
                self._kept = 2
            is_kept = not (is_ruined or self._is_closed) and len(self._idle) < self._kept
            if is_kept:
                process.rest()
                self._idle.append(process)
            self._changed.notify()
        if not is_kept:
            process.end()
        if is_ruined:
            self.prepare()  # it starts while nobody waits for it


class _Process:
    """One process. Raises NotStarted."""

    def __init__(self, program: str, limits: Limits, start_seconds: float) -> None:
        self._start_seconds = start_seconds
        self.asked_at: float | None = None
        """When it was asked what it works on, or worked on last; None while it starts."""
        self._output = os.memfd_create("output")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                handed = [theirs.fileno(), self._output]
                argv = [sys.executable, "-m", program, *map(str, handed)]
                self._process = subprocess.Popen(  # noqa: S603 - a program of ours
                    bound_argv(argv, limits.by_name()),
                    cwd=_ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=harmless_environment(),
                    pass_fds=handed,
                    start_new_session=True,
                )
        except OSError as error:
            self._close()
            raise NotStarted(error.errno, error.strerror) from error

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes, given: int, may_go_on: Callable[[float], bool]) -> ProgramAnswer:
        """Raises ProgramEnded, LimitReached, NotStarted."""
        if self.asked_at is None:
            self._begin()
        self.asked_at = time.monotonic()
        self._socket.settimeout(_LOOK_SECONDS)
        try:
            socket.send_fds(self._socket, [request], [given])
            message = self._received(self.asked_at, may_go_on)
        except OSError as error:
            raise ProgramEnded(f"it is gone: {error.strerror}") from error
        if not message:
            words = f"it {self._last_word()}"
            is_limit = self._process.returncode == -signal.SIGXCPU
            raise LimitReached(words) if is_limit else ProgramEnded(words)
        return ProgramAnswer(message, self._output)

    def rest(self) -> None:
        """Gives back most of the memory of its output."""
        if os.fstat(self._output).st_size > _KEPT_BYTES:
            os.ftruncate(self._output, 0)

    def kill(self) -> None:
        """Ends it; the one who waits for its answer is told."""
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def _received(self, asked_at: float, may_go_on: Callable[[float], bool]) -> bytes:
        while True:
            try:
                return self._socket.recv(MESSAGE_BYTES)
            except TimeoutError:
                seconds = time.monotonic() - asked_at
                if seconds > REQUEST_SECONDS:
                    raise LimitReached(f"it was not done within {REQUEST_SECONDS:g} s") from None
                if not may_go_on(seconds):
                    raise ProgramEnded(f"it was ended after {seconds:.1f} s") from None

    def _begin(self) -> None:
        self._socket.settimeout(self._start_seconds)
        try:
            is_ready = self._socket.recv(MESSAGE_BYTES) == READY
        except TimeoutError as error:
            self._process.kill()
            self._process.wait()  # nobody is to wait for it once more
            raise NotStarted(f"it did not begin within {self._start_seconds:g} s") from error
        if not is_ready:
            raise NotStarted(f"it {self._last_word()} at its start")

    def _last_word(self) -> str:
        try:
            code = self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            return "said nothing"
        return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"

    def _close(self) -> None:
        self._socket.close()
        os.close(self._output)
