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
TITLES = {"ruins its verifier": "dies", "hangs its verifier": "hangs"}
"""Of clips that do so, whatever the names of their files."""


def answer(packed: bytes, given: int, made: int) -> bytes:
    name = Path(f"/proc/self/fd/{given}").readlink().stem
    head = os.pread(given, 2**16, 0)
    name = next((does for title, does in TITLES.items() if title.encode() in head), name)
    ruin(name, made, LIMITS)
    if name == "sleeps":
        time.sleep(30)
    if name in MESSAGES:
        return MESSAGES[name]
    return verification_program.answer(packed, given, made)


if __name__ == "__main__":
    bound_service.serve(answer)
