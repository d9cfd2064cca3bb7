"""Becomes another program that dies with its parent.

    bound_exec.py PARENT_PID LIMITS PROGRAM ARG...

The kernel sends SIGKILL when the thread that forked this process ends (prctl(2),
PR_SET_PDEATHSIG); the setting survives execve. So do limits (setrlimit(2)): LIMITS are the names of
`resource` without RLIMIT_, such as `AS=1000000,CORE=0`, or nothing. What has limits is what the
kernel ends first where memory is short (oom_score_adj, proc(5)). A program of its own, since code
between fork and exec is not safe in a process with threads. It is run by path with `-I -S`, so it
imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SCORE = "/proc/self/oom_score_adj"
FIRST_TO_GO = "1000"  # there is none above it
NOT_STARTED = 127  # what a shell answers for a program that it can't find


def bound_argv(argv: list[str], limits: Mapping[str, int] | None = None) -> list[str]:
    """The command line that runs `argv` as a child that dies with the calling process.

    The process must be forked by a thread that lives as long as the child should.
    """
    told = ",".join(f"{name}={most}" for name, most in (limits or {}).items())
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), told, *argv]


def die_with(parent: int) -> None:
    """Has the kernel end this process when the thread of its parent ends that forked it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit(NOT_STARTED)  # the parent died before the kernel knew our wish


def main() -> None:
    parent, limits, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    die_with(parent)
    for each in filter(None, limits.split(",")):
        name, most = each.split("=")
        _limit(getattr(resource, f"RLIMIT_{name}"), int(most))
    if limits:
        with suppress(OSError), open(_SCORE, "w") as score:  # noqa: PTH123 - it is there sooner
            score.write(FIRST_TO_GO)
    # Python ignores these two, and an ignored signal stays ignored over execve.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(NOT_STARTED)


def _limit(kind: int, most: int) -> None:
    """Nothing becomes more by it than it is already."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
