"""A program of a pool that does what its requests say, as one might that media has taken over."""

from __future__ import annotations

import os

from app.processes import bound_service
from app.processes.bound_process import Limits
from tests.unit.ruin import ruin


def answer(packed: bytes, given: int, made: int) -> bytes:
    ruin(packed.decode(), made, Limits(memory_bytes=2**30))
    return str(os.getpid()).encode()


if __name__ == "__main__":
    bound_service.serve(answer)
