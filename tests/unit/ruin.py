"""What a stranger's media might make a program of a BoundPool do, once it has taken it over."""

from __future__ import annotations

import atexit
import os
import signal
import time

from app.processes import bound_service
from app.processes.bound_process import Limits


def ruin(how: str, made: int, limits: Limits) -> None:
    """Ends this program, spins or hangs; returns if it is not said how. `made`: its output."""
    match how:
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "swells":
            bytearray(2 * limits.memory_bytes)
        case "spins":
            bound_service.grant_processor(0)
            while True:
                pass
        case "hangs":
            while True:
                signal.pause()
        case "lingers":
            atexit.register(time.sleep, 1.5)
            raise OSError("and it takes its time to end")
        case "floods":
            os.pwrite(made, bytes(1), limits.file_bytes or 0)
