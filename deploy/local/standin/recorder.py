"""Turn one share's frames and samples into segments, in a thread of its own.

Output is a grid of frame slots from the first frame on. A frame that arrives fills all slots since
the one before it (with that one) and its own; so a slow source is repeated. After 2 s without a
frame the slots are filled with black, 2 s late; when frames return the slots in between stay empty.
That is what the real egress's files show: black right after the last frame, and on return a hole
in the picture inside one long segment, with the sound continuous (samples/share_muted_for_6s).

A machine that is too slow falls behind by a second, then leaves out what waits: the picture stands
still and leaps, the sound has a hole, and recording goes on, as the real egress's does.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from deploy.local.standin.canvas import Canvas
from deploy.local.standin.request import Encoding
from deploy.local.standin.segmenter import (
    AUDIO_FRAME,
    CLOCK,
    SAMPLE_RATE,
    Cutter,
    Encoders,
    Segment,
)

BLACK_AFTER_SECONDS = 2.0
LATE_SECONDS = 1.0
"""What waits for so long is left out, if nobody says otherwise."""
FROZEN_SECONDS = 7.0
"""A machine that is so much further behind gets the real egress's "pipeline frozen"."""
AUDIO_SLACK_SECONDS = 0.1
AUDIO_WAIT_SECONDS = 0.5
VIDEO_LATENCY_SECONDS = 0.03
"""From a frame's capture to its arrival here, over 127.0.0.1: 14 ms idle, more under load."""
AUDIO_LATENCY_SECONDS = 0.03
_MEDIA = ("video", "audio")


class PipelineFrozen(Exception):
    """The encoder can't keep up."""


class Recorder(threading.Thread):
    """Frames and samples in, closed segments out.

    :param late_seconds: what waits for so long is left out.
    :param on_started: called with the first frame's capture time (Unix seconds).
    :param on_segment: called with each closed segment, in order.
    :param on_end: called once, with None or the error that ended the thread.
    All three are called in this thread.
    :param clock: now, in Unix seconds: by it work is late.
    """

    def __init__(
        self,
        folder: Path,
        encoding: Encoding,
        segment_seconds: int,
        has_audio: bool,
        late_seconds: float,
        on_started: Callable[[float], None],
        on_segment: Callable[[Segment], None],
        on_end: Callable[[Exception | None], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name=f"recorder {folder.name}", daemon=True)
        self._encoding = encoding
        self._late_seconds = late_seconds
        self._on_started = on_started
        self._on_end = on_end
        self._clock = clock
        self._queue: queue.SimpleQueue[tuple[str, float, Any]] = queue.SimpleQueue()
        self._segment_slots = segment_seconds * encoding.framerate
        self._canvas = Canvas(encoding.width, encoding.height)
        self._encoders = Encoders(encoding, has_audio)
        self._cutter = Cutter(folder, self._encoders, on_segment)
        self._origin = self._began = 0.0
        self._next_slot = 0
        self._next_key = 0
        self._last: av.VideoFrame | None = None
        self._last_arrival = 0.0
        self._has_video = True
        self._samples = bytearray()
        self._audio_position = 0
        self._sounds = False

    @property
    def has_work(self) -> bool:
        """Whether something waits that was put there."""
        return not self._queue.empty()

    def put_video(self, arrival: float, frame: Any) -> None:
        """A decoded picture (livekit.rtc.VideoFrame, I420) and its arrival, Unix seconds."""
        self._queue.put(("video", arrival, frame))

    def put_audio(self, arrival: float, samples: bytes) -> None:
        """Interleaved 16-bit stereo at 44.1 kHz and the arrival of its last sample."""
        self._queue.put(("audio", arrival, samples))

    def video_is_gone(self) -> None:
        """The video was unpublished and audio lives: nothing is written until the end."""
        self._queue.put(("gone", self._clock(), None))

    def finish(self) -> None:
        """Write what is left, close the last segment, end."""
        self._queue.put(("finish", self._clock(), None))

    def abandon(self) -> None:
        """End at once; what is not yet in a closed segment is lost."""
        self._queue.put(("abandon", self._clock(), None))

    def run(self) -> None:
        error: Exception | None = None
        self._began = self._clock()
        try:
            self._work()
        except Exception as raised:  # noqa: BLE001 - whatever it is, it ends this egress only
            error = raised
        try:
            self._cutter.free()
        finally:
            self._on_end(error)

    def _work(self) -> None:
        while True:
            try:
                kind, arrival, payload = self._queue.get(timeout=0.1)
            except queue.Empty:
                kind, arrival, payload = "idle", self._clock(), None
            late = self._clock() - arrival
            if late > self._late_seconds + FROZEN_SECONDS:
                raise PipelineFrozen("pipeline frozen")
            if late > self._late_seconds and kind in _MEDIA and self._origin and self._has_video:
                arrival, kind = self._leave_out(arrival), "idle"
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
            # The first picture after the hole still belongs to the segment before it.
            self._next_key = max(self._next_slot + 1, self._next_key)
        while self._last is not None and self._next_slot < slot:
            self._write_slot(self._last)
        self._last, self._last_arrival = picture, arrival
        if slot >= self._next_slot:
            self._next_slot = slot
            self._write_slot(picture)

    def _leave_out(self, arrival: float) -> float:
        """Drop what waits, and go on after it. Returns when the last of it arrived."""
        rest = []
        with contextlib.suppress(queue.Empty):
            while True:
                waiting = self._queue.get_nowait()
                if waiting[0] in _MEDIA:
                    arrival = max(arrival, waiting[1])
                else:
                    rest.append(waiting)
        for waiting in rest:
            self._queue.put(waiting)
        self._leap(arrival)
        return arrival

    def _leap(self, arrival: float) -> None:
        """Leave the time up to here empty: slots of pictures, and whole frames of sound."""
        capture = self._media_time(arrival - VIDEO_LATENCY_SECONDS)
        self._next_slot = max(self._next_slot, round(capture * self._encoding.framerate) + 1)
        # As after black, the first picture after the hole still belongs to the segment before it.
        self._next_key = max(self._next_slot + 1, self._next_key)
        self._last_arrival = arrival
        heard = self._media_time(arrival - AUDIO_LATENCY_SECONDS) * SAMPLE_RATE
        frames = int(heard - self._audio_position) // AUDIO_FRAME - 1
        if frames > 0:
            self._audio_position += frames * AUDIO_FRAME
            self._samples.clear()
            self._sounds = False

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
        # Sound that goes on is joined as it comes; after silence it is placed by its time.
        slack = AUDIO_SLACK_SECONDS * SAMPLE_RATE if self._sounds else 0
        if start < written - slack:
            return
        if start > written + slack:
            self._samples += bytes(4 * (start - written))
        self._sounds = True
        self._samples += samples
        self._encode_audio()

    def _fill_audio(self, until: float) -> None:
        """Silence, where no sound has come up to this media time."""
        missing = round(until * SAMPLE_RATE) - AUDIO_FRAME
        missing -= self._audio_position + len(self._samples) // 4
        if missing > 0:
            self._sounds = False
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
        if self._encoders.audio:
            self._fill_audio(self._next_slot / self._encoding.framerate)
        self._cutter.video(self._encoders.encode_video(None))
        self._cutter.audio(self._encoders.encode_audio(None, 0))
        self._cutter.close()
