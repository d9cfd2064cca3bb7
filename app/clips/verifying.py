"""Whether a clip's file is what it was meant to be, seen by another reader than its writer.

Of a movie that was planned sample by sample, libav reads the index and decodes the first picture:
some milliseconds, whatever the length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from app.clips.failures import NotAsPlanned

_BOX = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")


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


def verify(path: Path, expected: Expected) -> None:
    """Returns if the file is as expected. Blocks. Raises NotAsPlanned with every difference."""
    wrong = _boxes(path)
    size_bytes = path.stat().st_size
    if expected.size_bytes is not None and size_bytes != expected.size_bytes:
        wrong.append(f"{size_bytes} bytes instead of {expected.size_bytes}")
    if not wrong:
        try:
            wrong = _streams(path, expected)
        except av.error.FFmpegError as error:
            wrong = [f"libav can't read it: {error.strerror}"]
    if wrong:
        raise NotAsPlanned(f"the file that was written is not right: {'; '.join(wrong)}")


def _boxes(path: Path) -> list[str]:
    """What is wrong with the file's outermost boxes: index before media, nothing after them."""
    names: list[str] = []
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
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


def _streams(path: Path, expected: Expected) -> list[str]:
    wrong: list[str] = []
    with av.open(str(path)) as container:
        kinds = sorted(stream.type for stream in container.streams)
        if kinds != ["audio", "video"]:
            return [f"its streams are {kinds}"]
        video, audio = container.streams.video[0], container.streams.audio[0]
        for name, found, wanted in (
            ("pictures", video.frames, expected.frames),
            ("frames of sound", audio.frames, expected.audio_frames),
            ("pixels wide", video.width, expected.width),
            ("pixels high", video.height, expected.height),
        ):
            if wanted is not None and found != wanted:
                wrong.append(f"{found} {name} instead of {wanted}")
        seconds = (container.duration or 0) / av.time_base
        if abs(seconds - expected.duration_seconds) > expected.tolerance_seconds:
            wrong.append(f"{seconds:.3f} s instead of {expected.duration_seconds:.3f} s")
        if next(container.decode(video), None) is None:
            wrong.append("no picture can be decoded")
    return wrong
