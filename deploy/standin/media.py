"""Encode one share into MPEG-TS segments, in a thread of its own.

Output is a grid of frame slots from the first frame on. A frame that arrives fills all slots since
the one before it (with that one) and its own; so a slow source is repeated. After 2 s without a
frame the slots are filled with black, 2 s late; when frames return the slots in between stay empty.
That is what the real egress's files show: black right after the last frame, and on return a hole
in the picture inside one long segment, with the sound continuous (samples/share_muted_for_6s).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from deploy.standin.request import Encoding

log = logging.getLogger("standin.media")

CLOCK = 90_000
FIRST_PTS_SECONDS = 3600
BLACK_AFTER_SECONDS = 2.0
FROZEN_SECONDS = 8.0
"""A machine that is so far behind gets the real egress's "pipeline frozen"."""
END_FRAMES = 4
"""Black frames that the real egress writes after the last picture."""
SAMPLE_RATE = 44_100
AUDIO_FRAME = 1024
AUDIO_SLACK_SECONDS = 0.1
AUDIO_WAIT_SECONDS = 0.5
VIDEO_LATENCY_SECONDS = 0.045
"""From a frame's capture to its arrival here, over 127.0.0.1; measured, see the contract test."""
AUDIO_LATENCY_SECONDS = 0.06

_X264 = {
    "preset": "veryfast",
    "profile": "main",
    "threads": "1",
    "forced-idr": "1",
    # No look-ahead beyond the B-frames, and an IDR only where one is forced. These B-frames give
    # the real files' order (I B B B P …, has_b_frames 2, first DTS two frames before first PTS).
    "x264-params": "rc-lookahead=0:mbtree=0:scenecut=0:keyint=infinite:"
    "bframes=3:b-adapt=0:b-pyramid=normal",
}


class PipelineFrozen(Exception):
    """The encoder can't keep up."""


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


class Recorder(threading.Thread):
    """Frames and samples in, closed segments out.

    :param on_started: called with the first frame's capture time (Unix seconds).
    :param on_segment: called with each closed segment, in order.
    :param on_end: called once, with None or the error that ended the thread.
    All three are called in this thread.
    """

    def __init__(
        self,
        folder: Path,
        encoding: Encoding,
        segment_seconds: int,
        has_audio: bool,
        on_started: Callable[[float], None],
        on_segment: Callable[[Segment], None],
        on_end: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(name=f"recorder {folder.name}", daemon=True)
        self._encoding = encoding
        self._on_started = on_started
        self._on_end = on_end
        self._queue: queue.SimpleQueue[tuple[str, float, Any]] = queue.SimpleQueue()
        self._segment_slots = segment_seconds * encoding.framerate
        self._canvas = _Canvas(encoding.width, encoding.height)
        self._encoders = _Encoders(encoding, has_audio)
        self._cutter = _Cutter(folder, self._encoders, on_segment)
        self._origin = self._began = 0.0
        self._next_slot = 0
        self._next_key = 0
        self._last: av.VideoFrame | None = None
        self._last_arrival = 0.0
        self._has_video = True
        self._samples = bytearray()
        self._audio_position = 0

    def put_video(self, arrival: float, frame: Any) -> None:
        """A decoded picture (livekit.rtc.VideoFrame, I420) and its arrival, Unix seconds."""
        self._queue.put(("video", arrival, frame))

    def put_audio(self, arrival: float, samples: bytes) -> None:
        """Interleaved 16-bit stereo at 44.1 kHz and the arrival of its last sample."""
        self._queue.put(("audio", arrival, samples))

    def video_is_gone(self) -> None:
        """The video was unpublished and audio lives: nothing is written until the end."""
        self._queue.put(("gone", time.time(), None))

    def finish(self) -> None:
        """Write what is left, close the last segment, end."""
        self._queue.put(("finish", time.time(), None))

    def abandon(self) -> None:
        """End at once; the open segment is lost."""
        self._queue.put(("abandon", time.time(), None))

    def run(self) -> None:
        error: Exception | None = None
        self._began = time.time()
        try:
            self._work()
        except Exception as raised:  # noqa: BLE001 - whatever it is, it ends this egress only
            error = raised
        self._on_end(error)

    def _work(self) -> None:
        while True:
            try:
                kind, arrival, payload = self._queue.get(timeout=0.1)
            except queue.Empty:
                kind, arrival, payload = "idle", time.time(), None
            if time.time() - arrival > FROZEN_SECONDS:
                raise PipelineFrozen("pipeline frozen")
            if kind == "finish":
                return self._finish()
            if kind == "abandon":
                return None
            if kind == "gone":
                self._has_video = False
            elif self._has_video:
                if kind == "video":
                    self._video(arrival, payload)
                elif kind == "audio":
                    self._audio(arrival, payload)
                self._idle(arrival)

    def _start(self, capture: float) -> None:
        self._origin = capture
        self._on_started(capture)

    def _media_time(self, wall: float) -> float:
        return wall - self._origin

    def _video(self, arrival: float, frame: Any) -> None:
        capture = arrival - VIDEO_LATENCY_SECONDS
        if not self._origin:
            self._start(capture)
        picture = self._canvas.fit(frame)
        slot = round(self._media_time(capture) * self._encoding.framerate)
        if self._last_arrival and arrival - self._last_arrival > BLACK_AFTER_SECONDS:
            self._next_slot = max(slot, self._next_slot)
        while self._last is not None and self._next_slot < slot:
            self._write_slot(self._last)
        self._last, self._last_arrival = picture, arrival
        if slot >= self._next_slot:
            self._next_slot = slot
            self._write_slot(picture)

    def _idle(self, now: float) -> None:
        if not self._origin:
            if now - self._began > BLACK_AFTER_SECONDS:
                self._start(now - BLACK_AFTER_SECONDS)
            return
        late = self._media_time(now) - BLACK_AFTER_SECONDS
        if now - self._last_arrival > BLACK_AFTER_SECONDS:
            while self._next_slot <= late * self._encoding.framerate:
                self._write_slot(self._canvas.black)
        if self._encoders.audio:
            self._fill_audio(self._media_time(now) - AUDIO_WAIT_SECONDS)

    def _write_slot(self, picture: av.VideoFrame) -> None:
        picture.pts = self._next_slot * CLOCK // self._encoding.framerate
        picture.time_base = Fraction(1, CLOCK)
        picture.pict_type = PictureType.NONE
        if self._next_slot >= self._next_key:
            picture.pict_type = PictureType.I
            self._next_key = self._next_slot + self._segment_slots
        self._next_slot += 1
        self._cutter.video(self._encoders.encode_video(picture))

    def _audio(self, arrival: float, samples: bytes) -> None:
        if not self._origin:
            return
        # The encoder's first packet is its own 1,024 samples of priming; they stand for the
        # first 23 ms, so that the sound's grid begins with the picture.
        count = len(samples) // 4
        end = self._media_time(arrival - AUDIO_LATENCY_SECONDS)
        start = round(end * SAMPLE_RATE) - count - AUDIO_FRAME
        written = self._audio_position + len(self._samples) // 4
        if start < written - AUDIO_SLACK_SECONDS * SAMPLE_RATE:
            return
        if start > written + AUDIO_SLACK_SECONDS * SAMPLE_RATE:
            self._samples += bytes(4 * (start - written))
        self._samples += samples
        self._encode_audio()

    def _fill_audio(self, until: float) -> None:
        """Silence, where no sound has come up to this media time."""
        missing = round(until * SAMPLE_RATE) - AUDIO_FRAME
        missing -= self._audio_position + len(self._samples) // 4
        if missing > 0:
            self._samples += bytes(4 * missing)
            self._encode_audio()

    def _encode_audio(self) -> None:
        size = 4 * AUDIO_FRAME
        while len(self._samples) >= size:
            packets = self._encoders.encode_audio(bytes(self._samples[:size]), self._audio_position)
            del self._samples[:size]
            self._audio_position += AUDIO_FRAME
            self._cutter.audio(packets)

    def _finish(self) -> None:
        if not self._origin:
            return
        for _ in range(END_FRAMES):
            self._write_slot(self._canvas.black)
        if self._encoders.audio:
            self._fill_audio(self._next_slot / self._encoding.framerate)
        self._cutter.video(self._encoders.encode_video(None))
        self._cutter.audio(self._encoders.encode_audio(None, 0))
        self._cutter.close()


class _Canvas:
    """Scales any picture to one size, with black bars where the shapes differ."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.black = self._frame(self._empty())

    def fit(self, frame: Any) -> av.VideoFrame:
        """The picture (livekit.rtc.VideoFrame, I420, any size) in this canvas's size."""
        source = self._frame(_even_i420(frame))
        scale = min(self._width / source.width, self._height / source.height)
        width = max(2, round(source.width * scale) & ~1)
        height = max(2, round(source.height * scale) & ~1)
        if (width, height) != (source.width, source.height):
            source = source.reformat(width, height)
        if (width, height) == (self._width, self._height):
            return source
        picture = self._empty()
        left, top = (self._width - width) // 2 & ~1, (self._height - height) // 2 & ~1
        targets = _planes(picture, self._width, self._height)
        pixels = _planes(source.to_ndarray(), width, height)
        for n, (target, plane) in enumerate(zip(targets, pixels, strict=True)):
            y, x = (top, left) if n == 0 else (top // 2, left // 2)
            target[y : y + plane.shape[0], x : x + plane.shape[1]] = plane
        return self._frame(picture)

    def _empty(self) -> np.ndarray:
        picture = np.full((self._height * 3 // 2, self._width), 128, np.uint8)
        picture[: self._height] = 16
        return picture

    @staticmethod
    def _frame(pixels: np.ndarray) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(pixels, format="yuv420p")


def _planes(pixels: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    """Views of the Y, U and V planes of an even-sized I420 array."""
    flat = pixels.reshape(-1)
    luma, quarter = width * height, width * height // 4
    return [
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(height // 2, width // 2),
        flat[luma + quarter :].reshape(height // 2, width // 2),
    ]


def _even_i420(frame: Any) -> np.ndarray:
    """The picture as an array (height * 3 / 2, width) with even sides; an odd edge is cut off."""
    width, height = frame.width, frame.height
    data = np.frombuffer(frame.data, np.uint8)
    if width % 2 == 0 and height % 2 == 0:
        return data.reshape(height * 3 // 2, width)
    chroma_width, chroma_height = (width + 1) // 2, (height + 1) // 2
    luma, chroma = width * height, chroma_width * chroma_height
    w, h = width & ~1, height & ~1
    planes = [
        data[:luma].reshape(height, width)[:h, :w],
        data[luma : luma + chroma].reshape(chroma_height, chroma_width)[: h // 2, : w // 2],
        data[luma + chroma :].reshape(chroma_height, chroma_width)[: h // 2, : w // 2],
    ]
    return np.concatenate([plane.ravel() for plane in planes]).reshape(h * 3 // 2, w)


class _Encoders:
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
            self.audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
            self.audio.bit_rate = encoding.audio_kbps * 1000
        self._container.start_encoding()

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


class _Cutter:
    """Puts packets into files: each key frame begins a new one.

    Sound goes into the segment in whose time it begins. A packet waits until the other stream has
    come as far, so that a segment is closed only when its sound is complete.
    """

    def __init__(
        self, folder: Path, encoders: _Encoders, on_segment: Callable[[Segment], None]
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
