"""Whether a clip's file is what it was meant to be, seen by another reader than its writer.

libav reads it in a process with limits, since strangers have encoded its pictures: one that ends
the process is a clip that can't be verified, and the next clip gets another process.
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.captures.failures import NotAsPlanned
from app.captures.verification_messages import FileFacts, ImplausibleFacts, unpack
from app.media.movie import Movie
from app.processes.bound_pool import ProgramAnswer, ProgramEnded
from app.processes.bound_process import Limits
from app.processes.shared_pool import SharedPool
from app.work.places import Stint, WorkPlaces

PROGRAM = "app.captures.verification_program"
LIMITS = Limits(memory_bytes=2**30, file_bytes=2**20, files=16)
"""It writes nothing but what Python keeps of modules that it has compiled."""
TOLERANCE_SECONDS = 0.05
"""Of what was planned sample by sample."""
_BOX = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_REQUEST = b"read"


@dataclass(frozen=True)
class Expected:
    """What the file must hold. `frames`, `audio_frames` None: the encoder decides."""

    size_bytes: int | None
    width: int
    height: int
    duration_seconds: float
    tolerance_seconds: float
    frames: int | None = None
    audio_frames: int | None = None

    @classmethod
    def of(cls, planned: Movie) -> Expected:
        """What the file of a planned movie must hold."""
        return cls(
            size_bytes=planned.size_bytes,
            width=planned.width,
            height=planned.height,
            duration_seconds=planned.duration_seconds,
            tolerance_seconds=TOLERANCE_SECONDS,
            frames=planned.frames,
            audio_frames=planned.audio_frames,
        )


class Verifier:
    """What verifies the clips of one worker, until it is closed."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._pool = SharedPool(program, LIMITS)
        self._places = WorkPlaces()

    def prepare(self) -> Future[None]:
        """Starts it, so that the first clip needn't wait for it: OSError if it can't be."""
        return self._pool.prepare()

    async def verify(self, path: Path, expected: Expected, *, caller: str, source: str) -> None:
        """Returns if the file is as expected. `source`: whose media it holds, by its share.

        Callers have their turns one after another. Raises NotAsPlanned with every difference,
        OSError if no process can be started.
        """
        piece = self._places.piece(caller, source)
        await piece.run(
            lambda stint: self._pool.in_thread(stint, self._verify, stint, path, expected)
        )

    def close(self) -> None:
        """Ends it, within a clip too. From now on asking raises OSError."""
        self._pool.close()

    def _verify(self, stint: Stint, path: Path, expected: Expected) -> None:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            wrong = _boxes(file, size_bytes)
            if expected.size_bytes is not None and size_bytes != expected.size_bytes:
                wrong.append(f"{size_bytes} bytes instead of {expected.size_bytes}")
            wrong = wrong or self._streams(stint, file, expected)
        if wrong:
            raise NotAsPlanned(f"the file that was written is not right: {'; '.join(wrong)}")

    def _streams(self, stint: Stint, file: BinaryIO, expected: Expected) -> list[str]:
        try:
            found = self._pool.ask(stint, _REQUEST, file.fileno(), _found)
        except ProgramEnded as error:
            return [f"the process that read it: {error}"]
        return [found] if isinstance(found, str) else _differences(found, expected)


def _found(answer: ProgramAnswer) -> FileFacts | str:
    try:
        return unpack(answer.message)
    except ImplausibleFacts as error:
        raise ProgramEnded(str(error)) from error


def _boxes(file: BinaryIO, size_bytes: int) -> list[str]:
    """What is wrong with the file's outermost boxes: index before media, nothing after them."""
    names: list[str] = []
    position = 0
    while position + _BOX.size <= size_bytes:
        file.seek(position)
        length, name = _BOX.unpack(file.read(_BOX.size))
        if length == 1:
            (length,) = _LARGE.unpack(file.read(_LARGE.size).ljust(_LARGE.size, b"\0"))
        names.append(name.decode("latin-1"))
        if length < _BOX.size:
            return [f"box {len(names)}, {names[-1]!r}, has a length of {length}"]
        position += length
    wrong = [] if position == size_bytes else [f"its boxes end at {position}, it at {size_bytes}"]
    media = [name for name in names if name not in ("free", "uuid")]
    if media != ["ftyp", "moov", "mdat"]:
        wrong.append(f"its boxes are {' '.join(names)}")
    return wrong


def _differences(found: FileFacts, expected: Expected) -> list[str]:
    wrong = [
        f"{there} {name} instead of {wanted}"
        for name, there, wanted in (
            ("pictures", found.pictures, expected.frames),
            ("frames of sound", found.sound_frames, expected.audio_frames),
            ("pixels wide", found.width, expected.width),
            ("pixels high", found.height, expected.height),
        )
        if wanted is not None and there != wanted
    ]
    if abs(found.seconds - expected.duration_seconds) > expected.tolerance_seconds:
        wrong.append(f"{found.seconds:.3f} s instead of {expected.duration_seconds:.3f} s")
    if not found.first_decodes:
        wrong.append("its first picture can't be decoded")
    if not found.last_key_decodes:
        wrong.append("its last keyframe can't be decoded")
    return wrong
