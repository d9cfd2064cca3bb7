"""One MP4 out of one session's fragments: every packet once, at its time, none from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.media.boxes import find
from app.media.movie import NothingToShow, plan
from app.models import Cut
from tests.media_factory import Shape
from tests.packet_checker import (
    HALF_TICK,
    TICKS,
    check_clip,
    joined_transport,
    pictures,
    read_clip,
    sound,
    without_edits,
)
from tests.unit.media.fragments import CLOCK, Fragments, claims, clip_of

HOLE_INSIDE = Shape(hole=(2.4, 3.6))
HOLE_AT_BOUNDARY = Shape(hole=(3.2, 4.7))
SHAPES = [
    Shape(),
    Shape(b_frames=0, fps=30, frames=183),
    Shape(fps=60, frames=301),
    HOLE_INSIDE,
    HOLE_AT_BOUNDARY,
    Shape(audio=False, frames=61),
    Shape(late_audio_seconds=0.5),
    Shape(audio_frames_per_pes=True, size=(322, 182), fps=24, frames=100),
    Shape(fps=24, frames=100, sample_rate=48_000, channels=1, variant=1),
    Shape(fps=15, frames=33, segment_seconds=1 / 15),
    Shape(base_seconds=95_440.0),
]

Make = Callable[[Shape], Fragments]


@pytest.mark.parametrize("cut", [Cut.SEGMENT, Cut.PRECISE])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_window_around_everything_holds_every_packet_once(
    shape: Shape, cut: Cut, fragments: Make, tmp_path: Path
) -> None:
    """Nothing is lost, doubled, shifted or added, but for the silence the fragments hold."""
    one = fragments(shape)
    runs = [one.run()]
    movie, path = clip_of(runs, tmp_path, cut=cut)
    clip = read_clip(path)
    assert movie.frames == len(clip.video) == len(one.media.video)
    silence = sum(fragment.silence_frames for fragment in one.prepared)
    assert movie.audio_frames == len(clip.audio) == len(one.media.audio) + silence
    assert movie.silence_frames == 0
    assert movie.audio is shape.audio
    check_clip(clip, {"one": one.media}, claims(movie, runs))


@pytest.mark.edge("drift at every boundary")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_window_shows_what_was_there(
    shape: Shape, fragments: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random windows: the right packets at the right times, nothing after the end."""
    one = fragments(shape)
    folder = tmp_path_factory.mktemp("windows")

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(
        st.integers(-TICKS, one.end_ticks + TICKS // 4),
        st.one_of(st.integers(1, TICKS // 5), st.integers(1, one.end_ticks)),
    )
    def check(start: int, length: int) -> None:
        runs = [one.run(start, start + length)]
        try:
            movie, path = clip_of(runs, folder)
        except NothingToShow:
            first, last = one.media.video[0].seconds, max(p.seconds for p in one.media.video)
            assert (start + length) / TICKS <= first + 0.002 or start / TICKS > last
            return
        span = movie.spans[0]
        assert start - 90 <= span.start_ticks < span.end_ticks <= start + length
        assert movie.duration_seconds == pytest.approx((span.end_ticks - span.start_ticks) / TICKS)
        clip = read_clip(path)
        newest = max(packet.seconds for packet in one.media.video if packet.digest in _all(clip))
        assert newest < (start + length) / TICKS
        if not span.standing:
            check_clip(clip, {"one": one.media}, claims(movie, runs))

    check()


def _all(clip: object) -> set[bytes]:
    return {packet.digest for packet in clip.video}  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", [Shape(), HOLE_INSIDE, Shape(b_frames=0, fps=30, frames=183)])
def test_a_decoder_shows_the_very_pictures_and_sound(
    shape: Shape, fragments: Make, tmp_path: Path
) -> None:
    """From the first instant on, picture by picture and sample by sample."""
    one = fragments(shape)
    whole = joined_transport(one.paths, tmp_path)
    session = pictures(whole)
    sound_begins, samples = sound(whole)
    for start, end in ((31_000, 401_000), (190_500, 260_000), (359_990, 700_000)):
        movie, path = clip_of([one.run(start, end)], tmp_path)
        span = movie.spans[0]
        begin, stop = (ticks / TICKS for ticks in (span.start_ticks, span.end_ticks))
        wanted = [
            (seconds - 3600 - begin, digest)
            for seconds, digest in session
            if begin - 1e-6 <= seconds - 3600 < stop - 1e-6
        ]
        found = pictures(path)
        assert [digest for _, digest in found] == [digest for _, digest in wanted]
        assert np.allclose([s for s, _ in found], [s for s, _ in wanted], atol=3e-5)
        heard_from, heard = sound(path)
        offset = round((begin + heard_from - (sound_begins - 3600)) * 44_100)
        assert heard_from < 0.03
        # Where the first instant falls into a frame, libav keeps that frame's earlier samples out.
        assert np.allclose(heard[:-1024], samples[offset : offset + len(heard) - 1024], atol=1e-6)


def test_the_hidden_head_is_told_and_hidden(fragments: Make, tmp_path: Path) -> None:
    """A cut inside a GOP keeps the way from its keyframe in the file, not on the screen."""
    one = fragments(Shape())
    movie, path = clip_of([one.run(180_000 + 5 * 6_000, 360_000)], tmp_path)
    assert movie.hidden_head_seconds == pytest.approx(5 / 15)
    hidden = [packet for packet in read_clip(path).video if packet.hidden]
    assert len(hidden) >= 5
    assert movie.frames == len(read_clip(path).video)


@pytest.mark.parametrize("shape", [Shape(), Shape(b_frames=0, fps=30, frames=183)], ids=str)
@pytest.mark.parametrize("into_group", [0, 5, 13])
def test_who_ignores_edit_lists_begins_where_it_was_asked_with_picture_and_sound_together(
    shape: Shape, into_group: int, fragments: Make, tmp_path: Path
) -> None:
    """Editors, previews and Firefox play a file from its first sample: what is hidden takes them
    some milliseconds."""
    one = fragments(shape)
    start = 180_000 + into_group * (TICKS // shape.fps)
    _, path = clip_of([one.run(start, 540_000)], tmp_path)
    at = {packet.digest: packet.seconds for packet in one.media.video + one.media.audio}
    clip = without_edits(path)
    pictures_in_order = sorted(clip.video, key=lambda packet: packet.seconds)
    shown = next(one for one in pictures_in_order if at[one.digest] >= start / TICKS - HALF_TICK)
    assert shown.seconds - pictures_in_order[0].seconds < 0.005
    heard = clip.audio[0]
    late = (at[shown.digest] - shown.seconds) - (at[heard.digest] - heard.seconds)
    assert abs(late) < 0.05


def test_start_and_end_in_one_gop(fragments: Make, tmp_path: Path) -> None:
    """A window of some pictures between two keyframes shows just them."""
    one = fragments(Shape())
    runs = [one.run(4 * 6_000, 9 * 6_000)]
    movie, path = clip_of(runs, tmp_path)
    assert movie.spans[0].start_ticks == 24_000
    check_clip(read_clip(path), {"one": one.media}, claims(movie, runs))


def test_one_picture(fragments: Make, tmp_path: Path) -> None:
    """A window of one frame is that frame, with sound as long."""
    one = fragments(Shape(b_frames=0, fps=30, frames=183))
    movie, path = clip_of([one.run(60_000, 63_000)], tmp_path)
    assert movie.duration_seconds == pytest.approx(1 / 30)
    assert len(pictures(path)) == 1
    assert movie.audio_frames >= 1


def test_a_picture_that_needs_later_ones_is_stood_in_for(fragments: Make, tmp_path: Path) -> None:
    """A window that holds only a B-frame shows the picture before: what it needs came later."""
    one = fragments(Shape())
    movie, path = clip_of([one.run(6_000, 12_000)], tmp_path)
    assert movie.spans[0].standing
    assert movie.duration_seconds == pytest.approx(1 / 15)
    assert [digest for _, digest in pictures(path)] == [pictures(one.paths[0])[0][1]]


def test_a_start_inside_a_hole_is_moved_to_the_next_picture(
    fragments: Make, tmp_path: Path
) -> None:
    """What was left out is reported."""
    one = fragments(HOLE_INSIDE)
    movie, _ = clip_of([one.run(220_000, 400_000)], tmp_path)
    assert movie.spans[0].start_ticks == 324_000
    assert [(pause.kind, pause.kept) for pause in movie.pauses] == [("start", False)]
    assert movie.pauses[0].seconds == pytest.approx((324_000 - 220_000) / TICKS, abs=1e-5)


def test_a_window_inside_a_hole_shows_the_standing_picture(fragments: Make, tmp_path: Path) -> None:
    """Nothing began there, but something was on the screen, and sound went on."""
    one = fragments(HOLE_INSIDE)
    movie, path = clip_of([one.run(230_000, 300_000)], tmp_path)
    assert movie.spans[0].standing
    assert (movie.spans[0].start_ticks, movie.spans[0].end_ticks) == (230_000, 300_000)
    # The very last before the hole may be B-frames that need the picture after it.
    before = [digest for seconds, digest in pictures(one.paths[1]) if seconds < 3602.5]
    (found,) = [digest for _, digest in pictures(path)]
    assert found in before[-4:]
    assert sound(path)[1].any()


@pytest.mark.parametrize("shape", [HOLE_INSIDE, HOLE_AT_BOUNDARY])
def test_a_hole_is_kept_in_time_and_reported(shape: Shape, fragments: Make, tmp_path: Path) -> None:
    """The picture before it is held; the sound over it is not touched."""
    one = fragments(shape)
    assert shape.hole
    movie, _ = clip_of([one.run()], tmp_path)
    (pause,) = movie.pauses
    last = shape.hole[0] - 1 / 15
    assert pause.kind == "hole"
    assert pause.movie_seconds == pytest.approx(last, abs=1e-4)
    assert pause.seconds == pytest.approx(shape.hole[1] - last, abs=0.07)
    assert movie.duration_seconds == pytest.approx(10.03, abs=0.02)


def test_a_lost_segment_is_held_silent_and_reported(fragments: Make, tmp_path: Path) -> None:
    """Between fragments that don't meet, time goes on: still picture, silence, exact after it."""
    one = fragments(Shape())
    runs = [one.run(sources=[*one.sources[:2], *one.sources[3:]])]
    movie, path = clip_of(runs, tmp_path)
    assert [pause.kind for pause in movie.pauses] == ["lost"]
    assert movie.silence_frames == pytest.approx(2 * 44_100 / 1024, abs=1)
    clip = read_clip(path)
    lost = {packet.digest for packet in clip.video}
    kept = [p for p in one.media.video if not 4 <= p.seconds < 6]
    assert lost == {packet.digest for packet in kept}
    assert [p.seconds for p in clip.video] == pytest.approx([p.seconds for p in kept], abs=3e-5)


def test_times_past_the_33_bit_wrap_go_on(fragments: Make, tmp_path: Path) -> None:
    """MPEG-TS times start again after 26.5 hours; the session doesn't."""
    one = fragments(Shape(base_seconds=95_440.0))
    assert [part.first_pts for part in one.prepared] == [0, 180_000, 360_000, 540_000, 720_000]
    movie, _ = clip_of([one.run(0, 900_000)], tmp_path)
    assert movie.pauses == ()


def test_only_what_is_needed_is_copied(fragments: Make) -> None:
    """Extents name bytes of the files, adjacent ones as one, and nothing twice."""
    one = fragments(Shape())
    movie = plan([one.run()], Cut.SEGMENT)
    assert len(movie.extents) == 1 + len(one.sources)
    for extent, source in zip(movie.extents[1:], one.sources, strict=True):
        table = source.samples
        assert extent.path == source.path
        assert extent.offset == source.payload_offset
        assert extent.length == table.video_bytes + table.audio_bytes
    precise = plan([one.run(200_000, 300_000)])
    assert {extent.path for extent in precise.extents} <= {
        None,
        *(source.path for source in one.sources[:2]),
    }


def test_more_than_4_gib_has_64_bit_offsets(fragments: Make, tmp_path: Path) -> None:
    """co64 and a large mdat, and still every byte in its place."""
    one = fragments(Shape())
    source = one.sources[0]
    huge = source.samples.sizes.copy()
    huge[-3:] = 1_900_000_000
    big = replace(source.samples, sizes=huge)
    movie = plan([one.run(sources=[replace(source, samples=big), *one.sources[1:]])], Cut.SEGMENT)
    assert movie.size_bytes > 1 << 32
    assert len(find(movie.header[:-16], b"moov", b"trak", b"mdia", b"minf", b"stbl", b"co64")) == 2
    assert movie.header[-16:-8] == b"\0\0\0\x01mdat"
    assert int.from_bytes(movie.header[-8:], "big") == movie.size_bytes - len(movie.header) + 16
    small = plan([one.run()], Cut.SEGMENT)
    assert movie.extents[-1].length == small.extents[-1].length
    assert movie.extents[-1].movie_offset + movie.extents[-1].length == movie.size_bytes


def test_says_when_and_what_it_is(fragments: Make, tmp_path: Path) -> None:
    """Creation time, wall clock of the first picture, undetermined language; and no title."""
    one = fragments(Shape())
    _, path = clip_of([one.run(90_000, 300_000)], tmp_path)
    shown = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
            check=True,
            capture_output=True,
        ).stdout
    )
    tags = shown["format"]["tags"]
    assert "title" not in tags
    assert tags["creation_time"].startswith("2026-11-22T20:48:14")
    assert tags["com.apple.quicktime.creationdate"] == "2026-11-22T20:48:14.250Z"
    assert [stream["tags"]["language"] for stream in shown["streams"]] == ["und", "und"]


def test_one_window_is_always_the_same_bytes(fragments: Make) -> None:
    """What is served in ranges must not change between two requests."""
    one = fragments(Shape())
    windows = [plan([one.run(91_000, 400_000)]) for _ in range(2)]
    assert windows[0].header == windows[1].header
    other = plan([one.run(91_000, 400_000)], created_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert other.header != windows[0].header


def test_delivered_instants_are_on_the_sessions_clock(fragments: Make) -> None:
    """A span tells the wall clock of its first picture and of its end."""
    one = fragments(Shape())
    (span,) = plan([one.run(90_000, 300_000)]).spans
    assert (span.start - CLOCK).total_seconds() == pytest.approx(1.0)
    assert (span.end - CLOCK).total_seconds() == pytest.approx(span.end_ticks / TICKS, abs=1e-5)


@pytest.mark.parametrize(("start", "end"), [(500, 500), (500, 400)])
def test_refuses_an_empty_window(start: int, end: int, fragments: Make) -> None:
    """The values are named."""
    with pytest.raises(ValueError, match=rf"\[{start}, {end}\) is empty"):
        plan([fragments(Shape()).run(start, end)])


@pytest.mark.parametrize(("start", "end"), [(-900_000, -90_000), (9_000_000, 9_900_000)])
def test_a_window_outside_the_media_shows_nothing(start: int, end: int, fragments: Make) -> None:
    """Neither before nor after: no picture was on the screen."""
    with pytest.raises(NothingToShow):
        plan([fragments(Shape()).run(start, end)])


def test_refuses_no_run_and_sources_out_of_order(fragments: Make) -> None:
    """What no caller should ask is a ValueError."""
    one = fragments(Shape())
    with pytest.raises(ValueError, match="no run"):
        plan([])
    with pytest.raises(ValueError, match="not in order"):
        plan([one.run(sources=one.sources[::-1])])
    with pytest.raises(NothingToShow):
        plan([one.run(sources=[])])
    with pytest.raises(ValueError, match="time zone"):
        plan([replace(one.run(), clock_start=datetime(2026, 11, 22))])  # noqa: DTZ001 # the point


def test_ffmpeg_decodes_a_clip_without_complaint(fragments: Make, tmp_path: Path) -> None:
    """-xerror ends at the first thing that ffmpeg finds wrong."""
    one = fragments(HOLE_INSIDE)
    _, path = clip_of([one.run(100_000, 700_000)], tmp_path)
    # Without these ffmpeg would put the pictures on a grid of its own.
    times = ["-fps_mode", "passthrough", "-enc_time_base:v", f"1/{TICKS}"]
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), *times, "-f", "null", "-"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
