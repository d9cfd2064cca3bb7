"""What an encoding, as ENCODING names it, asks of egress for a share of some size. Pure."""

from __future__ import annotations

from livekit.protocol.egress import EncodingOptions
from livekit.protocol.models import AudioCodec, VideoCodec

_MAX_WIDTH, _MAX_HEIGHT = 1920, 1080
_UNKNOWN_SIZE = (1280, 720)
_SOURCE_FPS = 30
_MAX_SOURCE_KBPS = 6000
_MIN_SIDE = 16
_UPRIGHT = "PORTRAIT_"


def named(setting: str, width: int, height: int) -> str:
    """A preset's name or `WxH@FPS:KBPS`, which is what `source` is for a share.

    `width` and `height` are the published size in pixels, 0 if unknown. Window shares have odd and
    tiny sizes. Egress takes only even ones of at least 16.
    """
    if setting != "source":
        return setting
    width, height = source_size(width, height)
    kbps = min(_MAX_SOURCE_KBPS, max(100, width * height * 4 // 1000))
    return f"{width}x{height}@{_SOURCE_FPS}:{kbps}"


def asked(name: str) -> str | EncodingOptions:
    """What egress is asked for: a preset's name, or options for `WxH@FPS:KBPS`."""
    if "@" not in name:
        return name
    width, height, fps = _pictures(name)
    return _options(width, height, fps, int(name.rpartition(":")[2]))


def pixels_a_second(name: str) -> int:
    """How many pixels egress encodes in a second: what it takes of a processor goes by that."""
    width, height, fps = _pictures(name)
    return width * height * fps


def is_upright(name: str) -> bool:
    """Whether its pictures are taller than wide."""
    width, height, _ = _pictures(name)
    return height > width


def turned(name: str) -> str:
    """The same encoding for pictures that are as wide as its own are tall."""
    size, at, rate = name.partition("@")
    if at:
        width, _, height = size.partition("x")
        return f"{height}x{width}@{rate}"
    return name.removeprefix(_UPRIGHT) if name.startswith(_UPRIGHT) else f"{_UPRIGHT}{name}"


def _pictures(name: str) -> tuple[int, int, int]:
    """Width, height and frames a second."""
    size, at, rate = name.partition("@")
    if at:
        width, _, height = size.partition("x")
        return int(width), int(height), int(rate.partition(":")[0])
    sides = (1920, 1080) if "1080P" in name else (1280, 720)
    fps = int(name.rpartition("_")[2])
    return (*sides[::-1], fps) if name.startswith(_UPRIGHT) else (*sides, fps)


def source_size(width: int, height: int) -> tuple[int, int]:
    """The recorded size of a share: its own, made even, within 1920 x 1080, at least 16 a side."""
    if width <= 0 or height <= 0:
        return _UNKNOWN_SIZE
    scale = min(1.0, _MAX_WIDTH / width, _MAX_HEIGHT / height)
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(_MIN_SIDE, int(side) // 2 * 2)


def _options(width: int, height: int, fps: int, kbps: int) -> EncodingOptions:
    return EncodingOptions(
        width=width,
        height=height,
        framerate=fps,
        video_codec=VideoCodec.H264_MAIN,
        video_bitrate=kbps,
        audio_codec=AudioCodec.AAC,
        audio_bitrate=128,
        audio_frequency=44100,
    )
