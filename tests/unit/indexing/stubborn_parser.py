"""A parser that does what the segment's name says, as one might that a segment has taken over."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from app.indexing import parser_program
from app.indexing.parser import LIMITS
from app.indexing.parser_messages import Request, pack_faults
from app.media.faults import Fault
from app.models import FaultSlug
from app.processes import bound_service
from tests.unit.ruin import ruin

MESSAGES = {"babbles": b"\xff{}", "shuts": b""}


def answer(packed: bytes, given: int, made: int) -> bytes:
    request = Request.unpack(packed)
    name = Path(request.path).name.partition(".")[0]
    ruin("dies" if name == "deafens" and request.measures else name, made, LIMITS)
    match name:
        case "sleeps":
            time.sleep(3)
        case "opens":
            for _ in range(LIMITS.files or 0):
                os.dup(given)
        case "tells":
            return pack_faults(tuple(Fault(FaultSlug.CORRUPT, each) for each in seen()))
    if name in MESSAGES:
        return MESSAGES[name]
    if name == "shrinks":
        told = parser_program.answer(packed, given, made)
        os.ftruncate(made, 100)
        return told
    return parser_program.answer(packed, given, made)


def seen() -> list[str]:
    """What it has got of us: names in its environment, and what its descriptors lead to."""
    kinds = set()
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the folder itself
            kinds.add(str(file.readlink()).partition(":")[0].partition(" ")[0])
    return [" ".join(sorted(os.environ)), " ".join(sorted(kinds))]


if __name__ == "__main__":
    print("noise", file=sys.stderr)
    bound_service.serve(answer)
