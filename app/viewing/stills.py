"""Single pictures, and what is shown where in a movie: read by a process with limits.

What it reads strangers have encoded, so a picture that ends it is one that can't be made. Each is
asked for within a Stint: see `app.processes.shared_pool`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

from app.errors import Unavailable
from app.media.picture_sources import KeyFrame, KeyFrameIndex, NoPicture
from app.media.sprites import Grid
from app.processes.bound_pool import NotStarted, ProgramAnswer, ProgramEnded
from app.processes.bound_process import Limits
from app.processes.shared_pool import SharedPool
from app.work.places import Stint

PROGRAM = "app.viewing.still_program"
LIMITS = Limits(memory_bytes=2**30, file_bytes=16 * 2**20, files=32)

_RETRY_SECONDS = 5

Found = TypeVar("Found")
log = structlog.get_logger()


class Stills:
    """What makes the pictures of one process of the service, until it is closed."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._pool = SharedPool(program, LIMITS)

    async def index(self, stint: Stint, path: Path) -> KeyFrameIndex:
        """What a movie shows, and where.

        Raises NoPicture, PutOff, Unavailable, OSError if it can't be opened, as all of these do.
        """
        return await self._ask(stint, path, {"what": "index"}, _index)

    async def poster_of_movie(self, stint: Stint, path: Path) -> bytes:
        """The first picture that a movie shows, as JPEG."""
        return await self._ask(stint, path, {"what": "movie"}, _jpeg)

    async def single(self, stint: Stint, path: Path, grid: Grid) -> bytes:
        """A sheet with the first picture that a movie shows."""
        told = [grid.tiles, grid.width, grid.height]
        return await self._ask(stint, path, {"what": "single", "grid": told}, _jpeg)

    async def poster(
        self, stint: Stint, path: Path, avcc: bytes, offset: int, size_bytes: int
    ) -> bytes:
        """An IDR sample in a file, as JPEG."""
        place = {"offset": offset, "size_bytes": size_bytes, "avcc": avcc.hex()}
        return await self._ask(stint, path, {"what": "key", **place}, _jpeg)

    def close(self) -> None:
        """Ends it. From now on asking raises Unavailable."""
        self._pool.close()

    async def _ask(
        self,
        stint: Stint,
        path: Path,
        request: dict[str, object],
        read: Callable[[ProgramAnswer], Found],
    ) -> Found:
        packed = json.dumps(request).encode()

        def ask() -> Found:
            with path.open("rb") as given:
                return self._pool.ask(stint, packed, given.fileno(), read)

        try:
            return await self._pool.in_thread(stint, ask)
        except NotStarted as error:
            log.warning("stills_not_started", error=str(error))
            raise Unavailable(
                "no process could be started that draws pictures: ask again",
                retry_after=_RETRY_SECONDS,
            ) from error
        except ProgramEnded as error:
            told = f"{path.name}: the process that was to read it: {error}"
            raise NoPicture(told) from error


def _jpeg(answer: ProgramAnswer) -> bytes:
    data = _output(answer, b"p")
    if not data.startswith(b"\xff\xd8"):
        raise ProgramEnded(f"its JPEG begins with {data[:4].hex()}")
    return data


def _index(answer: ProgramAnswer) -> KeyFrameIndex:
    try:
        seconds, width, height, avcc, keys = json.loads(_output(answer, b"i"))
        numbers = [seconds, width, height, *(value for key in keys for value in key)]
        if not all(math.isfinite(number) and 0 <= number < 2**53 for number in numbers):
            raise ProgramEnded("its index has numbers that can't be")
        return KeyFrameIndex(
            float(seconds),
            int(width),
            int(height),
            bytes.fromhex(avcc),
            tuple(KeyFrame(float(at), int(offset), int(size)) for at, offset, size in keys),
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise ProgramEnded(f"its index is none: {error!r:.200}") from error


def _output(answer: ProgramAnswer, kind: bytes) -> bytes:
    """What it has written. Raises NoPicture, ProgramEnded."""
    told, rest = answer.message[:1], answer.message[1:]
    if told == b"n":
        raise NoPicture(rest[:300].decode(errors="replace"))
    if told != kind or not rest.isdigit() or int(rest[:20]) > (LIMITS.file_bytes or 0):
        raise ProgramEnded(f"it says {answer.message[:40]!r}")
    return answer.read(int(rest[:20]))
