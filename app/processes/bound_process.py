"""A process that dies with us, and takes with it what it has started.

It leads a session of its own. So Ctrl-C in a terminal reaches only us, and its group has its id.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from app.processes import machine_memory
from app.processes.bound_exec import bound_argv
from app.processes.loading import ONE_THREAD

MEMORY_FRACTION = 0.5
"""Of what there is here: on a small machine the rest is for the service and its stores."""
Stream = int | IO[Any] | None
_HARMLESS = frozenset(
    {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR", "TZ", "LANG", "LC_ALL"}
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take that works on what strangers have encoded. None: as much as we may.

    - `memory_bytes`: of its own, without files that it has mapped; never more than a half of what
      there is here.
    - `file_bytes`: of each file that it writes. `files`: that it has open at once.
    - `cpu_seconds`: of all its threads together.
    """

    memory_bytes: int
    file_bytes: int | None = None
    files: int | None = None
    cpu_seconds: int | None = None

    def by_name(self) -> dict[str, int]:
        """For `bound_argv`. It leaves no core, which would hold what it has read."""
        limits = {
            "DATA": min(self.memory_bytes, int(MEMORY_FRACTION * machine_memory.usable_bytes())),
            "FSIZE": self.file_bytes,
            "NOFILE": self.files,
            "CPU": self.cpu_seconds,
            "CORE": 0,
        }
        return {name: most for name, most in limits.items() if most is not None}


def harmless_environment() -> dict[str, str]:
    """What a program of ours needs of our environment to run: no setting, so no secret."""
    given = {name: value for name, value in os.environ.items() if name in _HARMLESS}
    return given | ONE_THREAD


async def spawn(
    argv: Sequence[str],
    *,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    limits: Limits | None = None,
    bare: bool = False,
) -> Process:
    """Starts a program; `env` is added to our environment, of which little is left for one with
    limits, or if it is `bare`.

    Raises OSError.
    """
    ours = harmless_environment() if limits or bare else os.environ
    return await asyncio.create_subprocess_exec(
        *bound_argv(list(argv), limits.by_name() if limits else {}),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        env={**ours, **(env or {})},
        pass_fds=pass_fds,
        start_new_session=True,
    )


class Running(Protocol):
    """What is known of a process, whoever started it: `returncode` is None until it has ended."""

    pid: int

    @property
    def returncode(self) -> int | None: ...


def signal_group(process: Running, number: signal.Signals) -> None:
    """Sends a signal to a process and all it has started; nothing if it has ended."""
    if process.returncode is None:
        # It may have ended without our event loop knowing yet.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@asynccontextmanager
async def bound_process(
    argv: Sequence[str],
    *,
    limits: Limits,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> AsyncIterator[Process]:
    """A program that runs no longer than the block: then its group is killed. Raises OSError.

    Within `limits`, and without what is secret of our environment.
    """
    process = await spawn(
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        pass_fds=pass_fds,
        limits=limits,
    )
    try:
        yield process
    finally:
        signal_group(process, signal.SIGKILL)
        await asyncio.shield(process.wait())
