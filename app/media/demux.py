"""The pictures and audio frames of one segment's MPEG-TS, read with libav."""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import av.error

from app.media.aac import AudioFormat, BrokenAdts, UnsupportedAudio, parse_adts
from app.media.faults import Fault, Unpreparable
from app.media.h264 import AccessUnit, SettingsDiffer, access_unit
from app.media.timeless import TooManyTimeless, all_times
from app.media.transport import STREAMS
from app.models import FaultSlug

MOST_AUDIO_FRAMES = 20_000
"""In a segment: 100 s of the shortest ones are half of that."""

# libav would decode, and read on, to find out what the streams are like: the same packets in a
# third of the time. What is told of them here comes from their own bytes.
_OPTIONS = {
    "analyzeduration": "1",  # microseconds; 0 stands for its default
    "codec_whitelist": "aac",
    "fpsprobesize": "0",
    "max_streams": str(STREAMS),
}


@dataclass(frozen=True, slots=True)
class Elementary:
    """Samples in decode order with their presentation times, 33-bit as in the file.

    `audio_format` is None if the file holds no audio frame.
    """

    pictures: list[AccessUnit]
    picture_times: list[int]
    audio: list[bytes]
    audio_times: list[int]
    audio_format: AudioFormat | None


def demux(data: bytes, path: str) -> Elementary:
    """Read the bytes of an MPEG-TS file. Raises Unpreparable for what can't be used.

    `path` is for messages: the file may be another one by now.
    """
    try:
        return _demux(data, path)
    except SettingsDiffer as error:
        raise Unpreparable(path, [Fault(FaultSlug.CODEC, str(error))]) from error
    except TooManyTimeless as error:
        raise Unpreparable(path, [Fault(FaultSlug.TIMESTAMPS, str(error))]) from error
    # ValueError: PyAV found no stream, because the file has no program map.
    except (av.error.FFmpegError, ValueError) as error:
        raise Unpreparable(
            path, [Fault(FaultSlug.CORRUPT, f"libav can't read it: {error}")]
        ) from error


def _demux(data: bytes, path: str) -> Elementary:
    pictures: list[AccessUnit] = []
    picture_times: list[int | None] = []
    audio: list[bytes] = []
    audio_times: list[int | None] = []
    audio_format: AudioFormat | None = None
    sps: bytes | None = None
    with av.open(io.BytesIO(data), "r", format="mpegts", options=_OPTIONS) as container:
        for packet in container.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video":
                picture = access_unit(bytes(packet))
                if picture.sps not in (None, sps or picture.sps):
                    raise SettingsDiffer("its pictures have different parameter sets (SPS)")
                sps = sps or picture.sps
                pictures.append(picture)
                picture_times.append(packet.pts)
            elif packet.stream.type == "audio":
                if len(audio) == MOST_AUDIO_FRAMES:
                    detail = f"more than {MOST_AUDIO_FRAMES} frames of sound"
                    raise Unpreparable(path, [Fault(FaultSlug.TOO_LARGE, detail)])
                frame_format, frame = _audio_frame(path, bytes(packet))
                if audio_format not in (None, frame_format):
                    raise Unpreparable(
                        path, [Fault(FaultSlug.CODEC, f"{audio_format} turns into {frame_format}")]
                    )
                audio_format = frame_format
                audio.append(frame)
                audio_times.append(packet.pts)
        return Elementary(
            pictures=pictures,
            picture_times=all_times(picture_times),
            audio=audio,
            audio_times=all_times(audio_times),
            audio_format=audio_format,
        )


def _audio_frame(path: str, adts: bytes) -> tuple[AudioFormat, bytes]:
    try:
        return parse_adts(adts)
    except UnsupportedAudio as error:
        raise Unpreparable(path, [Fault(FaultSlug.CODEC, str(error))]) from error
    except BrokenAdts as error:
        raise Unpreparable(path, [Fault(FaultSlug.CORRUPT, str(error))]) from error
