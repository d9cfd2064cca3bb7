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
from pathlib import Path
from typing import IO, Any

from app.processes.bound_exec import bound_argv

Stream = int | IO[Any] | None


async def spawn(
    argv: Sequence[str],
    *,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Process:
    """Starts a program; `env` is added to our environment. Raises OSError."""
    return await asyncio.create_subprocess_exec(
        *bound_argv(list(argv)),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        env=os.environ | dict(env or {}),
        pass_fds=pass_fds,
        start_new_session=True,
    )


def signal_group(process: Process, number: signal.Signals) -> None:
    """Sends a signal to a process and all it has started; nothing if it has ended."""
    if process.returncode is None:
        # It may have ended without our event loop knowing yet.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@asynccontextmanager
async def bound_process(
    argv: Sequence[str],
    *,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
) -> AsyncIterator[Process]:
    """A program that runs no longer than the block: then its group is killed. Raises OSError."""
    process = await spawn(argv, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd)
    try:
        yield process
    finally:
        signal_group(process, signal.SIGKILL)
        await asyncio.shield(process.wait())
