"""A program of stills that does what its files' names say, as one that they have taken over."""

from __future__ import annotations

from pathlib import Path

from app.processes import bound_service
from app.viewing import still_program
from app.viewing.stills import LIMITS
from tests.unit.ruin import ruin


def answer(packed: bytes, given: int, made: int) -> bytes:
    ruin(Path(f"/proc/self/fd/{given}").readlink().stem, made, LIMITS)
    return still_program.answer(packed, given, made)


if __name__ == "__main__":
    bound_service.serve(answer)
