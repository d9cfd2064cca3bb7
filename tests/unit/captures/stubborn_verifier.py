"""A verifier that does what the clip's name says, as one might that a clip has taken over."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.captures import verification_program
from app.captures.verification import LIMITS
from app.processes import bound_service
from tests.unit.ruin import ruin

MESSAGES = {"shuts": b"", "babbles": b"f{}"}
RUINOUS_TITLE = "ruins its verifier"
"""Of a clip that ends it, whatever the name of its file."""


def answer(packed: bytes, given: int, made: int) -> bytes:
    name = Path(f"/proc/self/fd/{given}").readlink().stem
    if RUINOUS_TITLE.encode() in os.pread(given, 2**16, 0):
        name = "dies"
    ruin(name, made, LIMITS)
    if name == "sleeps":
        time.sleep(30)
    if name in MESSAGES:
        return MESSAGES[name]
    return verification_program.answer(packed, given, made)


if __name__ == "__main__":
    bound_service.serve(answer)
