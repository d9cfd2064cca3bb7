"""Whether a clip's file is what it was meant to be, seen by another reader than its writer.

Of a movie that was planned sample by sample, libav reads the index and decodes two keyframes, the
first and the last: some milliseconds, whatever the length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from app.captures.failures import NotAsPlanned
from app.media.movie import Movie

TOLERANCE_SECONDS = 0.05
"""Of what was planned sample by sample."""
_BOX = struct.Struct(">I4s")
_SKIP_DECODING = [{"skip_frame": "all"}] * 2
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
        except ValueError:  # PyAV's word for options of streams that are not there
            wrong = ["its index names other streams than one picture and one sound"]
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
    with av.open(
        str(path),
        # Otherwise libav decodes pictures, some 40 ms, to find what the index says.
        stream_options=_SKIP_DECODING,  # type: ignore[arg-type]  # PyAV's stub says list[str]
    ) as container:
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
        if not _decodes(container, video):
            wrong.append("its first picture can't be decoded")
        container.seek(container.duration or 0)
        if not _decodes(container, video):
            wrong.append("its last keyframe can't be decoded")
    return wrong


def _decodes(container: InputContainer, video: VideoStream) -> bool:
    """Whether the next keyframe is a picture; also if an edit list hides it."""
    decoder = VideoCodecContext.create("h264", "r")
    decoder.extradata = video.codec_context.extradata
    packet = next((found for found in container.demux(video) if found.is_keyframe), None)
    if packet is None or not packet.size:
        return False
    # A packet of the bytes alone: that of the container is marked to be discarded if it is hidden.
    return bool(decoder.decode(av.Packet(bytes(packet))) or decoder.decode(None))
