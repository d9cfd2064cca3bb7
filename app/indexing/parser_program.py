"""Prepares segments in a process of its own: what strangers have encoded harms no more than it.

Run by `app.indexing.parser`: see `app.processes.bound_service`.
"""

from __future__ import annotations

import os
import traceback
from contextlib import suppress

from app.indexing.parser_messages import Parsed, Request, pack_faults
from app.media.faults import Fault, Unpreparable
from app.media.fragment import prepare_bytes
from app.media.loudness import levels_of
from app.media.prepared_fragment import Prepared
from app.models import FaultSlug
from app.processes.bound_service import MESSAGE_BYTES, serve
from app.storage.foreign import SEGMENT_BYTES, FileTooLarge, read_open

CPU_SECONDS = 3
"""For a segment. Those of 64 MiB take 0.2 to 0.4 s on a machine of today."""
_PIECES_AT_ONCE = 1_000
"""Below IOV_MAX of writev(2)."""


def answer(packed: bytes, given: int, made: int) -> bytes:
    """Prepares the segment in `given`, and writes its fragment into `made`."""
    request = Request.unpack(packed)
    try:
        return _prepare(request, given, made)
    except Unpreparable as error:
        return pack_faults(error.faults)
    except MemoryError:
        raise  # perhaps it was here that others have left none: another process is to try
    except Exception as error:  # noqa: BLE001 - whatever its bytes bring about: its session goes on
        last = traceback.extract_tb(error.__traceback__)[-1]
        detail = f"{type(error).__name__} in line {last.lineno} of {last.name}: {error}"
        return pack_faults((Fault(FaultSlug.CORRUPT, detail),))


def _prepare(request: Request, given: int, made: int) -> bytes:
    path = request.path
    try:
        data = read_open(path, given, SEGMENT_BYTES)
    except FileTooLarge as error:
        raise Unpreparable(path, [Fault(FaultSlug.TOO_LARGE, str(error))]) from error
    except OSError as error:
        fault = Fault(FaultSlug.UNREADABLE, error.strerror or str(error))
        raise Unpreparable(path, [fault]) from error
    prepared = prepare_bytes(
        data,
        path,
        request.seconds,
        request.previous,
        latest_ticks=request.latest_ticks,
        expected_ticks=request.expected_ticks,
    )
    after = prepared.continuity
    size_bytes = sum(map(len, prepared.pieces))
    told = Parsed(
        size_bytes,
        prepared.payload_offset,
        prepared.init,
        prepared.samples,
        after.frame_ticks,
        (after.picture_shift, after.sound_shift),
        measured(prepared) if request.measures else b"",
    ).pack()
    if len(told) > MESSAGE_BYTES:
        detail = f"{prepared.frames} pictures and {prepared.audio_frames} frames of sound"
        raise Unpreparable(path, [Fault(FaultSlug.CORRUPT, detail)])
    _write(made, prepared.pieces)
    return told


def measured(prepared: Prepared) -> bytes:
    """The levels of a fragment's sound; none if they can't be measured: the fragment is whole."""
    with suppress(Exception):
        return levels_of(prepared)
    return b""


def _write(made: int, pieces: tuple[bytes, ...]) -> None:
    position = 0
    for begin in range(0, len(pieces), _PIECES_AT_ONCE):
        some = pieces[begin : begin + _PIECES_AT_ONCE]
        written = os.pwritev(made, some, position)
        if written != sum(map(len, some)):
            raise MemoryError  # the output is in memory
        position += written


if __name__ == "__main__":
    serve(answer, cpu_seconds=CPU_SECONDS)
