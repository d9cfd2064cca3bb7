"""The stand-in's recorder, fed with pictures and sound as if they arrived over time."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from deploy.local.standin.recorder import LATE_SECONDS, Recorder
from deploy.local.standin.request import Encoding
from deploy.local.standin.segmenter import Segment
from tests.waiting import wait_for

FPS = 15


@dataclass
class Picture:
    """What the recorder reads of a livekit.rtc.VideoFrame."""

    width: int
    height: int
    data: memoryview


def grey(width: int, height: int, value: int) -> Picture:
    chroma = ((width + 1) // 2) * ((height + 1) // 2)
    luma = np.full(width * height, value, np.uint8)
    return Picture(
        width, height, memoryview(np.append(luma, np.full(2 * chroma, 128, np.uint8)).tobytes())
    )


class Recording:
    """A recorder, and what it closed."""

    def __init__(
        self, folder: Path, audio: bool = True, size: tuple[int, int] = (320, 180)
    ) -> None:
        self.now = time.time()
        """It stands still: how late work is, is not decided by how slow the machine is."""
        self.segments: list[Segment] = []
        self.errors: list[Exception | None] = []
        self.recorder = Recorder(
            folder,
            Encoding(*size, FPS, 400),
            segment_seconds=1,
            has_audio=audio,
            late_seconds=LATE_SECONDS,
            on_started=lambda _: None,
            on_segment=self.segments.append,
            on_end=self.errors.append,
            clock=lambda: self.now,
        )
        self.recorder.start()

    def finish(self) -> list[Segment]:
        self.recorder.finish()
        self.recorder.join(60)
        assert self.errors == [None]
        return self.segments


def frames(segment: Segment) -> list[tuple[float, int]]:
    """(media time, middle grey) of each frame."""
    with av.open(str(segment.path)) as container:
        found = []
        for frame in container.decode(video=0):
            pixels = frame.to_ndarray(format="gray")
            found.append((round(frame.time - 3600, 3), int(pixels[90, 160])))
        return found


def feed(recording: Recording, start: float, ticks: range, value: int | None, **size: int) -> None:
    """Pictures (None: none) and sound for these ticks of 1/15 s after `start`, at once."""
    silence = bytes(4 * 44_100 // FPS)
    for n in ticks:
        arrival = start + n / FPS
        if value is not None:
            picture = grey(size.get("width", 320), size.get("height", 180), value)
            recording.recorder.put_video(arrival, picture)
        recording.recorder.put_audio(arrival, silence)


def packets(segment: Segment, stream: int) -> list[Any]:
    with av.open(str(segment.path)) as container:
        return [p for p in container.demux(container.streams[stream]) if p.size]


def test_cuts_at_exact_steps_with_one_key_frame(tmp_path: Path) -> None:
    """Each segment has its frames, one IDR in front, B-frames, and begins where the last ended."""
    recording = Recording(tmp_path)
    feed(recording, recording.now, range(50), 120)
    segments = recording.finish()
    assert [s.start_seconds for s in segments] == [0, 1, 2, 3]
    assert [s.duration_seconds for s in segments[:3]] == [1, 1, 1]
    for segment in segments[:3]:
        video = packets(segment, 0)
        assert [p.is_keyframe for p in video] == [True] + 14 * [False]
        assert any(p.pts < max(q.pts for q in video[:n]) for n, p in enumerate(video) if n)
        times = sorted(p.pts for p in video)
        assert times[0] == (3600 + segment.start_seconds) * 90_000
        assert {b - a for a, b in itertools.pairwise(times)} == {6000}
        assert video[0].pts - video[0].dts == 12_000


def test_sound_is_one_grid_over_all_segments(tmp_path: Path) -> None:
    """AAC frames go on over each cut without gap or overlap, from the first picture's time on."""
    recording = Recording(tmp_path)
    feed(recording, recording.now, range(50), 120)
    times = [p.pts for s in recording.finish() for p in packets(s, 1)]
    assert times[0] == 3600 * 90_000
    for n, pts in enumerate(times):
        assert pts == pytest.approx(times[0] + n * 1024 * 90_000 / 44_100, abs=2)


def test_black_and_then_a_hole_when_pictures_stop(tmp_path: Path) -> None:
    """Black follows the last picture; the return leaves a hole of about 2 s in one segment."""
    recording = Recording(tmp_path)
    start = recording.now
    feed(recording, start, range(20), 200)
    feed(recording, start, range(20, 80), None)
    feed(recording, start, range(80, 110), 200)
    segments = recording.finish()
    shown = [pair for segment in segments for pair in frames(segment)]
    values = [grey for _, grey in shown]
    assert min(values[:20]) > 150
    black = [t for t, grey in shown if grey < 40]
    assert black[0] == pytest.approx(20 / FPS, abs=0.07)
    times = [t for t, _ in shown]
    steps = [(b - a, a) for a, b in itertools.pairwise(times)]
    hole, before = max(steps)
    assert hole == pytest.approx(2.0, abs=0.2)
    assert before == pytest.approx(black[-1])
    assert sorted(steps)[-2][0] == pytest.approx(1 / FPS, abs=0.002)
    assert max(s.duration_seconds for s in segments) > 2.0
    sound = [p.pts for s in segments for p in packets(s, 1)]
    assert max(b - a for a, b in itertools.pairwise(sound)) < 2100


def test_a_slow_source_is_repeated(tmp_path: Path) -> None:
    """Three pictures a second still fill fifteen slots a second."""
    recording = Recording(tmp_path, audio=False)
    start = recording.now
    for n in range(0, 46, 5):
        recording.recorder.put_video(start + n / FPS, grey(320, 180, 60 + 3 * n))
    shown = [pair for segment in recording.finish() for pair in frames(segment)]
    assert [t for t, _ in shown] == pytest.approx([n / FPS for n in range(46)], abs=0.001)
    # A grey picture is read in full range, and was written in 16..235.
    wanted = [(luma - 16) * 255 / 219 for luma in range(60, 195, 15)]
    assert [grey for _, grey in shown[:45:5]] == pytest.approx(wanted, abs=3)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (321, 181), (90, 400), (16, 16)])
def test_letterboxes_any_size(tmp_path: Path, width: int, height: int) -> None:
    """A share that changes its size stays in its frame, undistorted, black around it."""
    recording = Recording(tmp_path, audio=False)
    start = recording.now
    feed(recording, start, range(10), 200)
    feed(recording, start, range(10, 20), 200, width=width, height=height)
    (first, *_), *_ = [recording.finish()]
    with av.open(str(first.path)) as container:
        last = [f.to_ndarray(format="gray") for f in container.decode(video=0)][14]
    assert last.shape == (180, 320)
    lit = np.argwhere(last > 120)
    height_lit, width_lit = lit.max(axis=0) - lit.min(axis=0) + 1
    assert width_lit / height_lit == pytest.approx(width / height, rel=0.08)
    assert max(width_lit / 320, height_lit / 180) > 0.97


def test_no_audio_stream_without_audio_track(tmp_path: Path) -> None:
    """A video-only request gives video-only segments."""
    recording = Recording(tmp_path, audio=False)
    feed(recording, recording.now, range(20), 120)
    with av.open(str(recording.finish()[0].path)) as container:
        assert [s.type for s in container.streams] == ["video"]


def test_nothing_is_written_after_the_video_went(tmp_path: Path) -> None:
    """Video unpublished while audio lives: no segment closes until the end."""
    recording = Recording(tmp_path)
    start = recording.now
    feed(recording, start, range(20), 120)
    recording.recorder.video_is_gone()
    feed(recording, start, range(20, 200), None)
    segments = recording.finish()
    assert [s.start_seconds for s in segments] == [0, 1]
    assert segments[-1].end_seconds < 2


async def test_a_machine_that_is_too_slow_leaves_out_what_waits(tmp_path: Path) -> None:
    """The picture stands still and leaps, the sound has a hole; then both are at their own time."""
    recording = Recording(tmp_path)
    start = recording.now - 5
    feed(recording, start, range(60), 120)  # from 5 s to 1 s late
    await wait_for(lambda: not recording.recorder.has_work)
    feed(recording, start, range(60, 150), 120)
    segments = recording.finish()
    times = [t for segment in segments for t, _ in frames(segment)]
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert sum(step for step in steps if step > 0.1) > 2
    assert times[-1] == pytest.approx(149 / FPS, abs=0.001)
    for segment in segments:
        shown = frames(segment)
        assert shown[0][0] == pytest.approx(segment.start_seconds, abs=0.001)
        assert segment.end_seconds - shown[-1][0] < 1.5 / FPS, "no hole at a segment's end"
    sound = [p.pts for segment in segments for p in packets(segment, 1)]
    places = [(pts / 90_000 - 3600) * 44_100 / 1024 for pts in sound]
    assert places == pytest.approx([round(place) for place in places], abs=0.01), "on one grid"
    assert places == sorted(set(places))
    assert len(places) < places[-1] - 80, "two seconds of them were left out"
    assert places[-1] / 44_100 * 1024 == pytest.approx(10, abs=0.2)


def test_a_machine_that_is_too_slow_fails(tmp_path: Path) -> None:
    """Work that is 8 s late ends the recorder with the real egress's words."""
    recording = Recording(tmp_path)
    recording.recorder.put_video(recording.now - 9, grey(320, 180, 120))
    recording.recorder.join(60)
    assert [str(error) for error in recording.errors] == ["pipeline frozen"]
