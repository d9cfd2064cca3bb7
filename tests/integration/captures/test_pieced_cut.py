"""Exact cuts of which only the ends are encoded: nothing of what was cut off, all of the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from app.captures import pieced_cut
from app.captures.ffmpeg_process import Effort
from app.captures.part_file import LocalWriter
from app.media import ends, h264, own_movie
from app.media.movie import Movie, Run, plan
from app.media.movie_bytes import write
from app.models import Gaps
from tests.media_factory import Shape, number_in
from tests.packet_checker import ROUNDING, TICKS, Media, read_clip
from tests.unit.media.fragments import Fragments

NUMBERED = Shape(numbered=True, size=(320, 180), frames=150)
SHAPES = {
    "b-frames": NUMBERED,
    "no-b-frames": Shape(numbered=True, size=(320, 180), frames=150, b_frames=0),
    "silent": Shape(numbered=True, size=(320, 180), frames=150, audio=False),
    "30-fps": Shape(numbered=True, size=(320, 180), frames=240, fps=30, sample_rate=48_000),
    "hole": Shape(numbered=True, size=(320, 180), frames=150, hole=(4.5, 5.7)),
}
# Seconds: within a group at both ends, a millisecond after a picture, on a keyframe, a picture
# before one, an end among B-frames.
WINDOWS = [(1.3, 7.5), (1.4009, 7.4), (2.0, 7.55), (1.95, 8.02), (3.45, 9.0), (0.4, 6.0)]

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
Fragmented = Callable[[Shape], Fragments]


@dataclass(frozen=True)
class Clip:
    movie: Movie
    path: Path
    found: ends.Ends

    @property
    def media(self) -> Media:
        return read_clip(self.path)


async def clip_of(runs: Sequence[Run], folder: Path) -> Clip:
    found = ends.find(runs)
    assert found is not None
    files: list[Path] = []
    told: list[float] = []
    movie = await pieced_cut.pieced(
        found,
        folder / "clip.part",
        files,
        Effort(is_short=True),
        LocalWriter(),
        gaps=Gaps.SKIP,
        on_progress=told.append,
    )
    path = folder / "clip.mp4"
    write(movie, str(path))
    for file in files:
        file.unlink()
    assert told == sorted(told)
    return Clip(movie, path, found)


def shown(path: Path, *, in_band: bool = True) -> list[tuple[float, int]]:
    """Time and number of every picture in the file, whether an edit list hides it or not.

    Not `in_band`: as a player that reads parameter sets in the sample entry alone.
    """
    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        if in_band:
            frames = list(container.decode(stream))
        else:
            strip = av.bitstream.BitStreamFilterContext("filter_units=remove_types=7-8", stream)
            decoder = av.CodecContext.create("h264", "r")
            decoder.extradata = stream.codec_context.extradata
            packets = [one for packet in container.demux(stream) for one in strip.filter(packet)]
            frames = [frame for packet in packets for frame in decoder.decode(packet)]
            frames += decoder.decode(None)
        return [
            (
                float(frame.pts * stream.time_base),
                number_in(frame.to_ndarray(format="gray").astype(np.uint8)),
            )
            for frame in frames
            if frame.pts is not None
        ]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
async def test_every_picture_of_the_window_is_there_once_and_no_other(
    fragments: Fragmented, tmp_path: Path, shape: Shape, window: tuple[float, float]
) -> None:
    source = fragments(shape)
    run = source.run(round(window[0] * TICKS), round(window[1] * TICKS))
    clip = await clip_of([run], tmp_path)
    [span] = clip.movie.spans
    times = sorted(packet.seconds for packet in source.media.video)
    wanted = [
        (at - span.start_ticks / TICKS, round(at * shape.fps))
        for at in times
        if window[0] - 0.001 <= at < window[1] - 0.001
    ]
    found = shown(clip.path)
    assert [number for _, number in found] == [number for _, number in wanted]
    offset = found[0][0]
    for (at, _), (expected, _) in zip(found, wanted, strict=True):
        assert at - offset == pytest.approx(expected, abs=ROUNDING)
    assert shown(clip.path, in_band=False) == found
    assert clip.movie.hidden_head_seconds == 0
    assert span.end_ticks == pytest.approx(min(run.end_ticks, source.end_ticks), abs=TICKS / 15)
    assert not any(packet.hidden for packet in clip.media.video)


@pytest.mark.parametrize("shape", [SHAPES["b-frames"], SHAPES["30-fps"]], ids=["15-fps", "30-fps"])
@pytest.mark.parametrize("window", [(0.4, 5.1), (0.05, 5.95), (0.7, 3.0)], ids=str)
async def test_a_part_of_a_pieced_clip_is_pieced_again(
    fragments: Fragmented, tmp_path: Path, shape: Shape, window: tuple[float, float]
) -> None:
    """Also through what was encoded before, and for players that read no parameter sets in band:
    each piece has sets of its own."""
    source = fragments(shape)
    first = await clip_of([source.run(round(1.3 * TICKS), round(7.5 * TICKS))], tmp_path)
    wanted = shown(first.path)  # by the file's clock, which begins before the first picture
    whole = own_movie.read(first.path, first.movie.spans[0].start, "own")
    begin = whole.start_ticks
    start, end = (begin + round(at * TICKS) for at in window)
    folder = tmp_path / "again"
    folder.mkdir()
    clip = await clip_of([replace(whole, start_ticks=start, end_ticks=end)], folder)
    low, high = (wanted[0][0] + at - 0.001 for at in window)
    inside = [number for at, number in wanted if low <= at < high]
    found = shown(clip.path)
    assert [number for _, number in found] == inside
    assert shown(clip.path, in_band=False) == found
    sets = [h264.set_ids(each.init.avcc) for each in (whole, own_movie.read(clip.path, CLOCK, "x"))]
    assert {0, 1} <= sets[0] <= sets[1]


@pytest.mark.parametrize("shape", [SHAPES["b-frames"], SHAPES["30-fps"]], ids=["44100", "48000"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
async def test_the_sound_is_the_windows_own_in_time_with_the_picture(
    fragments: Fragmented, tmp_path: Path, shape: Shape, window: tuple[float, float]
) -> None:
    source = fragments(shape)
    clip = await clip_of([source.run(*(round(at * TICKS) for at in window))], tmp_path)
    [span] = clip.movie.spans
    begin = span.start_ticks / TICKS
    frame = 1_024 / shape.sample_rate
    heard = [packet for packet in clip.media.audio if not packet.silent]
    times = [packet.seconds for packet in heard]
    inside = [
        packet
        for packet in source.media.audio
        if begin <= packet.seconds + ROUNDING and packet.seconds + frame <= window[1] + 0.001
    ]
    for packet in inside:
        at = packet.seconds - begin
        place = bisect_left(times, at - 5e-5)
        assert times[place] == pytest.approx(at, abs=5e-5)
        assert heard[place].digest == packet.digest
    assert len(heard) == len(inside)


async def test_all_between_the_ends_is_copied(fragments: Fragmented, tmp_path: Path) -> None:
    source = fragments(NUMBERED)
    clip = await clip_of([source.run(round(1.3 * TICKS), round(7.45 * TICKS))], tmp_path)
    known = {packet.digest for packet in source.media.video}
    copied = [packet.seconds for packet in clip.media.video if packet.digest in known]
    # From the keyframe at 2 s to the one at 6 s, 15 pictures a second.
    assert len(copied) == 60
    assert clip.found.head is not None
    assert clip.found.tail is not None
    assert min(copied) == pytest.approx(2 - clip.movie.spans[0].start_ticks / TICKS, abs=ROUNDING)


async def test_two_sessions_with_a_pause_have_their_outer_ends_encoded(
    fragments: Fragmented, tmp_path: Path
) -> None:
    first = fragments(NUMBERED)
    second = fragments(Shape(numbered=True, size=(320, 180), frames=150, variant=1))
    runs = [
        first.run(round(5.3 * TICKS), session="one"),
        second.run(0, round(5.5 * TICKS), session="two", after_seconds=14.0),
    ]
    clip = await clip_of(runs, tmp_path)
    numbers = [number for _, number in shown(clip.path)]
    assert numbers == [*range(80, 150), *range(100, 183)]
    assert [pause.kind for pause in clip.movie.pauses] == ["session"]


@pytest.mark.parametrize("shape", [SHAPES["b-frames"], SHAPES["no-b-frames"]], ids=str)
@pytest.mark.parametrize("before_seconds", [0.001, 0.02, 0.06])
async def test_a_standing_picture_that_leads_is_one_picture_of_its_own(
    fragments: Fragmented, tmp_path: Path, shape: Shape, before_seconds: float
) -> None:
    """A window that begins behind the last picture of a session, and goes on in the next one."""
    first, second = fragments(shape), fragments(replace(shape, variant=1))
    start = first.end_ticks - round(before_seconds * TICKS)
    runs = [
        first.run(start, session="one"),
        second.run(0, round(5.5 * TICKS), session="two", after_seconds=14.0),
    ]
    clip = await clip_of(runs, tmp_path)
    [standing, _], [expected, _] = clip.movie.spans, plan(runs).spans
    assert (standing.start_ticks, standing.end_ticks) == (start, expected.end_ticks)
    assert [number for _, number in shown(clip.path)] == [149, *range(100, 183)]
    assert clip.movie.hidden_head_seconds == 0
    assert clip.found.pixels < 100 * 320 * 180


def test_a_window_without_a_whole_group_is_encoded_whole(fragments: Fragmented) -> None:
    source = fragments(NUMBERED)
    for window in ((2.3, 3.4), (2.3, 5.5), (3.9, 4.1)):
        assert ends.find([source.run(*(round(at * TICKS) for at in window))]) is None


def test_sessions_of_other_sizes_are_encoded_whole(fragments: Fragmented) -> None:
    runs = [
        fragments(NUMBERED).run(session="one"),
        fragments(Shape(frames=90)).run(session="two", after_seconds=20),
    ]
    assert ends.find(runs) is None


async def test_an_encoder_that_gives_other_pictures_is_noticed(
    fragments: Fragmented, tmp_path: Path
) -> None:
    source = fragments(NUMBERED)
    found = ends.find([source.run(round(1.3 * TICKS), round(8 * TICKS))])
    assert found is not None
    assert found.head is not None
    other = source.prepared[0]
    with pytest.raises(ends.OtherPictures, match=r"asked for \d+ pictures"):
        found.head.encoded(str(tmp_path), other)
    assert np.all(np.diff(found.head.pts) > 0)
