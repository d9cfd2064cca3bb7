"""What the ENCODING setting asks of egress for a share of a given size. Pure."""

from __future__ import annotations

from livekit.protocol.egress import EncodingOptions
from livekit.protocol.models import AudioCodec, VideoCodec

_MAX_WIDTH, _MAX_HEIGHT = 1920, 1080
_UNKNOWN_SIZE = (1280, 720)
_SOURCE_FPS = 30
_MAX_SOURCE_KBPS = 6000
_MIN_SIDE = 16


def encoding(setting: str, width: int, height: int) -> str | EncodingOptions:
    """A preset's name, or options for `WxH@FPS:KBPS` and `source`.

    `width` and `height` are the published size in pixels, 0 if unknown. Window shares have odd and
    tiny sizes. Egress takes only even ones of at least 16.
    """
    if setting == "source":
        width, height = source_size(width, height)
        kbps = min(_MAX_SOURCE_KBPS, max(100, width * height * 4 // 1000))
        return _options(width, height, _SOURCE_FPS, kbps)
    size, at, rate = setting.partition("@")
    if not at:
        return setting
    side = size.split("x")
    fps, kbps_text = rate.split(":")
    return _options(int(side[0]), int(side[1]), int(fps), int(kbps_text))


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
