"""What a StartEgress request asks for: the encoding, the tracks, the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livekit.protocol import egress as proto

from deploy.local.standin import files
from deploy.local.standin.places import S3Storage


@dataclass(frozen=True)
class Encoding:
    """Frame size in pixels, frames per second, bitrates in kbit/s."""

    width: int
    height: int
    framerate: int
    video_kbps: int
    audio_kbps: int = 128


_PRESETS = {
    "H264_720P_30": Encoding(1280, 720, 30, 3000),
    "H264_720P_60": Encoding(1280, 720, 60, 4500),
    "H264_1080P_30": Encoding(1920, 1080, 30, 4500),
    "H264_1080P_60": Encoding(1920, 1080, 60, 6000),
    "PORTRAIT_H264_720P_30": Encoding(720, 1280, 30, 3000),
    "PORTRAIT_H264_720P_60": Encoding(720, 1280, 60, 4500),
    "PORTRAIT_H264_1080P_30": Encoding(1080, 1920, 30, 4500),
    "PORTRAIT_H264_1080P_60": Encoding(1080, 1920, 60, 6000),
}
_DEFAULT = _PRESETS["H264_1080P_30"]


@dataclass(frozen=True)
class Request:
    """One Track Composite job."""

    room_name: str
    video_track_id: str
    audio_track_id: str
    """Empty: no audio stream at all."""
    encoding: Encoding
    segment_seconds: int
    layout: files.Layout
    storage: S3Storage | None
    """The bucket that the files go to; None: a folder that this worker sees."""
    manifest: bool

    @property
    def track_ids(self) -> list[str]:
        return [sid for sid in (self.video_track_id, self.audio_track_id) if sid]


def parse(composite: Any, own: S3Storage | None = None) -> Request:
    """Read a `livekit.TrackCompositeEgressRequest`. `own`: the storage of who asks for none.

    :raises ValueError: what egress refuses, or what this stand-in does not do.
    """
    outputs = list(composite.segment_outputs)
    if composite.WhichOneof("output") == "segments":
        outputs.append(composite.segments)
    if len(outputs) != 1 or composite.file_outputs or composite.stream_outputs:
        raise ValueError("the stand-in serves exactly one segment output")
    if not composite.video_track_id:
        raise ValueError("the stand-in needs a video_track_id")
    output = outputs[0]
    storage = S3Storage.of(output.s3) if output.WhichOneof("output") == "s3" else own
    return Request(
        room_name=composite.room_name,
        video_track_id=composite.video_track_id,
        audio_track_id=composite.audio_track_id,
        encoding=_encoding(composite),
        segment_seconds=output.segment_duration or 6,
        layout=files.layout(
            output.filename_prefix,
            output.playlist_name,
            output.live_playlist_name,
            output.filename_suffix == proto.SegmentedFileSuffix.TIMESTAMP,
            is_absolute=storage is None,
        ),
        storage=storage,
        manifest=not output.disable_manifest,
    )


def _encoding(composite: Any) -> Encoding:
    asked = composite.WhichOneof("options")
    if asked == "preset":
        name = proto.EncodingOptionsPreset.Name(composite.preset)
        if name not in _PRESETS:
            raise ValueError(f"preset {name} is not served")
        return _PRESETS[name]
    if asked != "advanced":
        return _DEFAULT
    options = composite.advanced
    encoding = Encoding(
        width=options.width or _DEFAULT.width,
        height=options.height or _DEFAULT.height,
        framerate=options.framerate or _DEFAULT.framerate,
        video_kbps=options.video_bitrate or _DEFAULT.video_kbps,
        audio_kbps=options.audio_bitrate or _DEFAULT.audio_kbps,
    )
    for side in (encoding.width, encoding.height):
        if side < 16 or side % 2:
            raise ValueError(f"{encoding.width}x{encoding.height}: sides are even, 16 or more")
    return encoding
