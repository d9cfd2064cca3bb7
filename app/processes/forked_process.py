"""Processes that are forked from this one, and so share what it has loaded.

Loading modules is most of what a start costs. A forked process has ours, in the same memory, and
loads its own while the stores start. It waits for each of its steps to be told to go on.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from app import settings
from app.processes import process_name
from app.processes.bound_exec import NOT_STARTED, die_with

_MESSAGE_BYTES = 64 * 1024

NextStep = Callable[[], list[int]]
"""Waits until the next step may be taken; the open files that came along."""
Work = Callable[[NextStep], int]
"""What a forked process does; its exit code."""


class ForkedProcess:
    """A forked process. Like one of asyncio's it has `pid` and `returncode`, negative: a signal."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._channel = channel

    def go_on(self, environment: Mapping[str, str], descriptors: Sequence[int] = ()) -> None:
        """Tells it to take the next step, with this added to its environment and these files."""
        message = json.dumps(dict(environment)).encode()
        with suppress(OSError):  # it has ended: `wait` tells how
            socket.send_fds(self._channel, [message], descriptors)

    async def wait(self) -> int:
        if self.returncode is None:
            _, status = await asyncio.to_thread(os.waitpid, self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
            self._channel.close()
        return self.returncode

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)

    def end(self) -> None:
        """Kills one that nobody waits for, and waits until it is gone."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self._channel.close()


def fork(works: Iterable[tuple[str, Work]]) -> dict[str, ForkedProcess]:
    """Forks a process for each of these, by name; those that the system has no place for are left
    out. What this process loads between two of them, the second shares.

    Called before this process has a second thread or an event loop, and holds open what is not for
    them. A forked one dies with the calling thread, and ends with what its work returns.
    """
    parent = os.getpid()
    found: dict[str, ForkedProcess] = {}
    channels: list[socket.socket] = []
    for name, work in works:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channels.append(ours)
        # What a signal raises while Python itself prepares the fork, or tidies up, would be lost.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            pid = os.fork()
        except OSError:  # no memory, no process slots
            theirs.close()
            break
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if pid == 0:
            for each in channels:
                each.close()
            _become(name, parent)
            sys.exit(work(partial(_told, theirs)))
        theirs.close()
        found[name] = ForkedProcess(pid, ours)
    return found


def _become(name: str, parent: int) -> None:
    """What `app.processes.bound_process.spawn` sees to for a program."""
    die_with(parent)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    process_name.tell(name)


def _told(channel: socket.socket) -> list[int]:
    message, descriptors, _, _ = socket.recv_fds(
        channel, _MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC
    )
    if not message:  # whoever would tell it has ended
        sys.exit(NOT_STARTED)
    settings.add_to_environment(json.loads(message))
    return descriptors
