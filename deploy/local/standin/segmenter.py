"""Encoders for one share, and a muxer that begins a new MPEG-TS file at each key frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from deploy.local.standin.request import Encoding

CLOCK = 90_000
FIRST_PTS_SECONDS = 3600
SAMPLE_RATE = 44_100
AUDIO_FRAME = 1024

_X264 = {
    "preset": "veryfast",
    "profile": "main",
    "threads": "1",
    "forced-idr": "1",
    # No look-ahead beyond the B-frames, and an IDR only where one is forced. These B-frames give
    # the real files' order (I B B B P …, has_b_frames 2, first DTS two frames before first PTS).
    "x264-params": "rc-lookahead=0:mbtree=0:scenecut=0:keyint=infinite:"
    "bframes=3:b-adapt=0:b-pyramid=normal:"
    # and as little of the processor as it takes: half of what the preset does
    "subme=0:me=dia:partitions=none:trellis=0:weightp=0:weightb=0:ref=1",
}
# a quarter of what the encoder's own choice takes, which is more than the pictures do
_AAC = {"aac_coder": "fast"}


@dataclass(frozen=True)
class Segment:
    """A closed MPEG-TS file; times in seconds since the first frame."""

    index: int
    path: Path
    start_seconds: float
    duration_seconds: float

    @property
    def end_seconds(self) -> float:
        return self.start_seconds + self.duration_seconds


class Encoders:
    """libx264 and AAC, whose packets are muxed elsewhere."""

    def __init__(self, encoding: Encoding, has_audio: bool) -> None:
        # The encoders hang on a container that is never written: PyAV gives the stream
        # parameters that a muxer needs only for a container's streams.
        self._container = av.open("/dev/null", "w", format="null")
        video: Any = self._container.add_stream(
            "libx264", rate=encoding.framerate, options=dict(_X264)
        )
        video.width, video.height, video.pix_fmt = encoding.width, encoding.height, "yuv420p"
        video.bit_rate = encoding.video_kbps * 1000
        context = video.codec_context
        context.time_base = Fraction(1, CLOCK)
        context.color_range, context.colorspace = 1, 1
        context.color_primaries = context.color_trc = 1
        self.video = video
        self.audio: Any = None
        if has_audio:
            self.audio = self._container.add_stream(
                "aac", rate=SAMPLE_RATE, layout="stereo", options=dict(_AAC)
            )
            self.audio.bit_rate = encoding.audio_kbps * 1000
        self._container.start_encoding()

    def free(self) -> None:
        """Give back threads and memory; without this they wait for the garbage collector."""
        self._container.close()
        del self.video, self.audio

    def encode_video(self, picture: av.VideoFrame | None) -> list[Any]:
        """Packets of one picture, pts from 0 in 1/90,000 s; None flushes."""
        return list(self.video.encode(picture))

    def encode_audio(self, samples: bytes | None, position: int) -> list[Any]:
        """Packets of 1,024 samples that are the `position`th; None flushes."""
        if self.audio is None:
            return []
        frame = None
        if samples is not None:
            pixels = np.frombuffer(samples, np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(pixels, format="s16", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            frame.time_base = Fraction(1, SAMPLE_RATE)
            frame.pts = position + AUDIO_FRAME
        return list(self.audio.encode(frame))


class Cutter:
    """Puts packets into files: each key frame begins a new one.

    Sound goes into the segment in whose time it begins. A packet waits until the other stream has
    come as far, so that a segment is closed only when its sound is complete.
    """

    def __init__(
        self, folder: Path, encoders: Encoders, on_segment: Callable[[Segment], None]
    ) -> None:
        self._folder = folder
        self._encoders = encoders
        self._on_segment = on_segment
        self._video: deque[tuple[int, Any]] = deque()
        self._audio: deque[tuple[int, Any]] = deque()
        self._index = -1
        self._output: Any = None
        self._path = folder
        self._start = self._newest_key = self._newest = 0

    def video(self, packets: list[Any]) -> None:
        for packet in packets:
            if packet.is_keyframe:
                self._newest_key = packet.pts
            # Sound that begins before a key frame is shown belongs before it, so a key frame's
            # place is its presentation, and what follows it stands not before that.
            self._video.append((max(self._newest_key, packet.dts), packet))
        self._drain(ended=False)

    def audio(self, packets: list[Any]) -> None:
        for packet in packets:
            self._audio.append((packet.pts * CLOCK // SAMPLE_RATE, packet))
        self._drain(ended=False)

    def close(self) -> None:
        """Write what waits; close the last file, whose length is up to its last frame's start."""
        self._drain(ended=True)
        if self._output is not None:
            self._close_segment(self._newest)

    def free(self) -> None:
        """End the encoders; a segment that is still open is lost."""
        if self._output is not None:
            self._output.close()
        self._encoders.free()

    def _drain(self, ended: bool) -> None:
        while self._video or self._audio:
            waits = self._encoders.audio is not None and not (self._video and self._audio)
            if waits and not ended:
                return
            if self._video and (not self._audio or self._video[0][0] <= self._audio[0][0]):
                self._mux_video(self._video.popleft()[1])
            else:
                self._mux(self._audio.popleft()[1], 1)

    def _mux_video(self, packet: Any) -> None:
        if packet.is_keyframe:
            if self._output is not None:
                self._close_segment(packet.pts)
            self._open_segment(packet.pts)
        self._newest = max(self._newest, packet.pts)
        self._mux(packet, 0)

    def _mux(self, packet: Any, stream: int) -> None:
        shift = FIRST_PTS_SECONDS * packet.time_base.denominator
        packet.pts += shift
        packet.dts += shift
        packet.stream = self._output.streams[stream]
        self._output.mux(packet)

    def _open_segment(self, start: int) -> None:
        self._index += 1
        self._start = start
        self._path = self._folder / f"{self._index:06d}.ts"
        # The same PIDs as the real egress's muxer.
        options = {"mpegts_start_pid": "65", "mpegts_pmt_start_pid": "32"}
        self._output = av.open(str(self._path), "w", format="mpegts", options=options)
        self._output.add_stream_from_template(self._encoders.video)
        if self._encoders.audio is not None:
            self._output.add_stream_from_template(self._encoders.audio)

    def _close_segment(self, end: int) -> None:
        self._output.close()
        self._output = None
        start, length = self._start / CLOCK, (end - self._start) / CLOCK
        self._on_segment(Segment(self._index, self._path, start, length))
