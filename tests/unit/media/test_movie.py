"""One MP4 out of fragments: every packet once, at its time, and nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.media.joining import write
from app.media.movie import Movie, NothingToShow, Run, plan
from tests.media_factory import Shape
from tests.packet_checker import TICKS, check_clip, read_clip
from tests.unit.media.fragments import Fragments, claims

SHAPES = [
    Shape(),
    Shape(b_frames=0, fps=30, frames=183),
    Shape(fps=60, frames=301),
    Shape(hole=(2.4, 3.6)),
    Shape(hole=(3.2, 4.7)),
    Shape(audio=False, frames=61),
    Shape(late_audio_seconds=0.5),
    Shape(audio_frames_per_pes=True, size=(322, 182), fps=24, frames=100),
    Shape(fps=24, frames=100, sample_rate=48_000, channels=1, variant=1),
    Shape(fps=15, frames=33, segment_seconds=1 / 15),
    Shape(base_seconds=95_440.0),
]

Make = Callable[[Shape], Fragments]


def clip_of(runs: list[Run], folder: Path, **options: str) -> tuple[Movie, Path]:
    movie = plan(runs, **options)  # type: ignore[arg-type]
    path = folder / "clip.mp4"
    path.unlink(missing_ok=True)
    assert write(movie, str(path)).size_bytes == path.stat().st_size == movie.size_bytes
    return movie, path


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_whole_sessions_hold_every_packet_once(
    shape: Shape, fragments: Make, tmp_path: Path
) -> None:
    """A window around everything is everything, packet by packet."""
    one = fragments(shape)
    for cut in ("segment", "precise"):
        runs = [one.run()]
        movie, path = clip_of(runs, tmp_path, cut=cut)
        clip = read_clip(path)
        assert movie.frames == len(clip.video) == len(one.media.video)
        assert movie.audio_frames == len(clip.audio)
        if shape.audio:
            assert len(clip.audio) == len(one.media.audio) + sum(
                fragment.silence_frames for fragment in one.prepared
            )
        check_clip(clip, {"one": one.media}, claims(movie, runs))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_window_shows_what_was_there(
    shape: Shape, fragments: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random windows: the right packets at the right times, nothing after the end."""
    one = fragments(shape)
    folder = tmp_path_factory.mktemp("windows")

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
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
        assert start - 90 <= span.start_ticks
        assert span.end_ticks <= start + length
        clip = read_clip(path)
        if not span.standing:
            check_clip(clip, {"one": one.media}, claims(movie, runs))
        assert movie.duration_seconds == pytest.approx((span.end_ticks - span.start_ticks) / TICKS)

    check()
