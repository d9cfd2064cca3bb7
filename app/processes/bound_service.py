"""What a program of a BoundPool does: it answers requests, one after another.

    python -m PROGRAM SOCKET OUTPUT

SOCKET is the number of an inherited Unix socket (SOCK_SEQPACKET), OUTPUT that of a file in memory
(memfd_create(2)) that both sides have open. Once the program is ready it says so. A request is a
message with one open file; the answer is a message, and what the program has written into OUTPUT.
It ends when the other side of the socket does.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Callable

MESSAGE_BYTES = 128 * 1024
"""Of a request, and of an answer, at most."""
READY = b"ready"
CPU_SECONDS = 5
"""For one request, unless its program says otherwise."""


def serve(answer: Callable[[bytes, int, int], bytes], *, cpu_seconds: int = CPU_SECONDS) -> None:
    """Answers requests until nobody asks any more, each within so many seconds of a processor.

    `answer` is given a request, the descriptor of its file, and that of the output. What it raises
    ends the program.
    """
    # A copy: the one that was inherited is open until this process is no more, so that the parent
    # finds its exit code as soon as the connection ends.
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as parent:
        output = int(sys.argv[2])
        parent.send(READY)
        _be_silent()
        while True:
            request, files, _, _ = socket.recv_fds(parent, MESSAGE_BYTES, 1)
            if not request:
                return
            grant_processor(cpu_seconds)
            try:
                told = answer(request, files[0], output)
            finally:
                os.close(files[0])
            parent.send(told)


def _be_silent() -> None:
    """From here on nothing that strangers have encoded reaches our log by itself."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)


def grant_processor(seconds: int) -> None:
    """From here on so many seconds, or one more; then the system ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
