"""One child process that is kept running: started again when it ends, ended when asked.

It dies with us (app.processes.bound_process).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from app.processes.bound_process import signal_group, spawn
from app.processes.forked_process import ForkedProcess
from app.work.troubles import Troubles

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
STEADY_SECONDS = 30.0
"""A child that ran this long begins with the first back-off again."""
LOOP_ENDS, LOOP_SECONDS = 3, 300.0
"""What ends so often in this time does not get on; nor is it well until so long after."""

log = structlog.get_logger()


class BackOff:
    """How long to wait before what has ended is started again: ever longer, unless it ran long.

    What ends again and again is among the `troubles` of the process that starts it.
    """

    def __init__(self, name: str, troubles: Troubles) -> None:
        self._name, self._troubles = name, troubles
        self._seconds = FIRST_BACKOFF_SECONDS
        self._began = time.monotonic()
        self._ends: deque[float] = deque(maxlen=LOOP_ENDS)

    def begun(self) -> None:
        """It is started now."""
        self._began = time.monotonic()

    def ended(self, how: str) -> float:
        """It has ended, `how` in a few words: the seconds to wait."""
        self._tell(how)
        if time.monotonic() - self._began >= STEADY_SECONDS:
            self._seconds = FIRST_BACKOFF_SECONDS
        seconds = self._seconds
        self._seconds = min(2 * seconds, LONGEST_BACKOFF_SECONDS)
        return seconds

    def _tell(self, how: str) -> None:
        now = time.monotonic()
        self._ends.append(now)
        left = self._ends[0] + LOOP_SECONDS - now
        if len(self._ends) == LOOP_ENDS and left > 0:
            self._troubles.tell(
                f"loop of {self._name}",
                f"{self._name} ends again and again: {LOOP_ENDS} times in "
                f"{now - self._ends[0]:.0f} s, the last time {how}",
                seconds=LOOP_SECONDS,
            )


class Child:
    """A program that runs until stop().

    `refused` is set, with no further start, when the program says by exit code 78 that its
    configuration is wrong. `exits` counts its unexpected ends; of many, `troubles` tell. stdout and
    stderr go to the end of `log_path`, or where ours go. `forked` is told to go on in place of the
    first start, if it is there.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log_path: Path | None = None,
        pass_fds: Sequence[int] = (),
        troubles: Troubles | None = None,
        forked: ForkedProcess | None = None,
    ) -> None:
        self.name = name
        self.refused = asyncio.Event()
        self.exits = 0
        self._argv = list(argv)
        self._env = dict(env or {})
        self._cwd = cwd
        self._log_path = log_path
        self._pass_fds = tuple(pass_fds)
        self._back_off = BackOff(name, troubles or Troubles())
        self._forked = forked
        self._process: asyncio.subprocess.Process | ForkedProcess | None = None
        self._stopping = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running process; None while there is none."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL to its whole group when `grace_seconds` are over."""
        self._stopping.set()
        self._terminate()
        if self._keeper is None:
            return
        _, running = await asyncio.wait({self._keeper}, timeout=grace_seconds)
        if running:
            log.warning("child_killed", child=self.name, after_seconds=grace_seconds)
            if self._process is not None:
                signal_group(self._process, signal.SIGKILL)
        await self._keeper

    async def kill(self) -> None:
        """SIGKILL to its whole group, at once: for what loses nothing by it."""
        self._stopping.set()
        if self._process is not None:
            signal_group(self._process, signal.SIGKILL)
        if self._keeper is not None:
            await self._keeper

    def _terminate(self) -> None:
        """Asks the child alone: what it has started is its own to end."""
        if self._process is not None and self.pid is not None:
            # It may have ended without our event loop knowing yet.
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def _keep(self) -> None:
        while not self._stopping.is_set():
            self._back_off.begun()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            self.exits += 1
            if code == os.EX_CONFIG:  # a start with the same settings can't succeed either
                self.refused.set()
                return
            seconds = self._back_off.ended(_told(code))
            log.error("child_ended", child=self.name, code=code, restart_in_seconds=seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_once(self) -> int | str:
        """Its exit code (negative: the signal that ended it), or why it could not be started."""
        try:
            self._process = await self._started()
        except OSError as error:  # no memory, no process slots, no disk: may pass
            return str(error)
        if self._stopping.is_set():  # stop() came while there was no process to signal
            self._terminate()
        return await self._process.wait()

    async def _started(self) -> asyncio.subprocess.Process | ForkedProcess:
        if self._forked is not None:
            forked, self._forked = self._forked, None
            forked.go_on(self._env, self._pass_fds)
            return forked
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self._log_path.open("ab")) if self._log_path else None
            return await spawn(
                self._argv,
                stdout=output,
                stderr=output,
                env=self._env,
                cwd=self._cwd,
                pass_fds=self._pass_fds,
            )


def _told(code: int | str) -> str:
    """How a process ended, in a few words."""
    if code == -signal.SIGKILL:
        return "killed: if nobody did it, memory did not suffice"
    if isinstance(code, int):
        return f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"not even started ({code})"
