"""A verifier that does what the clip's name says, as one might that a clip has taken over."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from app.captures import verification_program
from app.captures.verification import LIMITS
from app.processes import bound_service

MESSAGES = {"shuts": b"", "babbles": b"f{}"}
RUINOUS_TITLE = "ruins its verifier"
"""Of a clip that ends it, whatever the name of its file."""


def answer(packed: bytes, given: int, made: int) -> bytes:
    name = Path(f"/proc/self/fd/{given}").readlink().stem
    if RUINOUS_TITLE.encode() in os.pread(given, 2**16, 0):
        name = "dies"
    match name:
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "swells":
            bytearray(2 * LIMITS.memory_bytes)
        case "spins":
            bound_service.CPU_SECONDS = 0
            bound_service._grant_processor()
            while True:
                pass
        case "floods":
            os.pwrite(made, bytes(1), LIMITS.file_bytes or 0)
        case "sleeps":
            time.sleep(30)
    if name in MESSAGES:
        return MESSAGES[name]
    return verification_program.answer(packed, given, made)


if __name__ == "__main__":
    bound_service.serve(answer)
