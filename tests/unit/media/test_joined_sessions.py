"""Several sessions in one MP4: continuous over the joint, picture and sound together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.media.movie import Incompatible, NothingToShow, plan
from app.models import Cut, Gaps
from tests.media_factory import Shape
from tests.packet_checker import TICKS, check_clip, joined_transport, pictures, read_clip
from tests.unit.media.fragments import Fragments, claims, clip_of

ONE = Shape(frames=61)
OTHER = Shape(b_frames=0, fps=30, frames=93, variant=2)
SILENT = Shape(audio=False, frames=61)
HOLE = Shape(hole=(2.4, 3.6))
LATE = Shape(late_audio_seconds=0.5)

Make = Callable[[Shape], Fragments]


@pytest.mark.parametrize("gaps", list(Gaps))
@pytest.mark.parametrize("cut", [Cut.SEGMENT, Cut.PRECISE])
@pytest.mark.parametrize(("first", "second"), [(ONE, OTHER), (SILENT, OTHER), (OTHER, SILENT)])
def test_two_sessions_are_continuous(
    first: Shape, second: Shape, cut: Cut, gaps: Gaps, fragments: Make, tmp_path: Path
) -> None:
    """Every packet of both, each session's sound exactly with its picture."""
    one, two = fragments(first), fragments(second)
    runs = [one.run(30_000), two.run(session="two", after_seconds=7.0)]
    movie, path = clip_of(runs, tmp_path, cut=cut, gaps=gaps)
    clip = read_clip(path)
    check_clip(clip, {"one": one.media, "two": two.media}, claims(movie, runs))
    joint = movie.spans[1].movie_seconds
    shown = (movie.spans[0].end_ticks - movie.spans[0].start_ticks) / TICKS
    (pause,) = [pause for pause in movie.pauses if pause.kind == "session"]
    assert pause.seconds == pytest.approx(
        7.0 + movie.spans[1].start_ticks / TICKS - movie.spans[0].end_ticks / TICKS, abs=1e-5
    )
    assert pause.kept is (gaps == "keep")
    expected = shown + (pause.seconds if gaps == "keep" else 0)
    # At most one audio frame later, so that both sounds lie on one grid.
    assert expected - 1e-5 <= joint < expected + 1024 / 44_100
    assert movie.audio


def test_any_windows_of_two_sessions_join(
    fragments: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random windows and pauses: each session's packets at their times, nothing after its end."""
    sessions = {shape: fragments(shape) for shape in (Shape(), HOLE, OTHER, SILENT, LATE)}
    folder = tmp_path_factory.mktemp("joined")
    windows = st.tuples(
        st.sampled_from(list(sessions)), st.integers(0, 300_000), st.integers(3_000, 500_000)
    )

    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(windows, windows, st.floats(0, 20), st.sampled_from(list(Gaps)))
    def check(
        first: tuple[Shape, int, int], second: tuple[Shape, int, int], pause: float, gaps: Gaps
    ) -> None:
        runs = [
            sessions[shape].run(start, start + length, session=name, after_seconds=after)
            for name, after, (shape, start, length) in (
                ("one", 0.0, first),
                ("two", 12.0 + pause, second),
            )
        ]
        media = {"one": sessions[first[0]].media, "two": sessions[second[0]].media}
        try:
            movie, path = clip_of(runs, folder, gaps=gaps)
        except NothingToShow:
            return
        assert all(
            span.end_ticks <= run.end_ticks
            for run in runs
            for span in movie.spans
            if span.session == run.session
        )
        if not any(span.standing for span in movie.spans):
            check_clip(read_clip(path), media, claims(movie, runs))

    check()


def test_each_sessions_pictures_decode_under_one_sample_entry(
    fragments: Make, tmp_path: Path
) -> None:
    """Sessions with different parameter sets: every picture as in its own session."""
    one, two = fragments(ONE), fragments(OTHER)
    assert one.init.avcc != two.init.avcc
    _, path = clip_of([one.run(), two.run(session="two", after_seconds=7)], tmp_path)
    for fragment in (one, two):
        (tmp_path / fragment.init.id).mkdir()
    expected = [
        digest
        for each in (one, two)
        for _, digest in pictures(joined_transport(each.paths, tmp_path / each.init.id))
    ]
    assert [digest for _, digest in pictures(path)] == expected


def test_a_pause_that_is_kept_is_silent(fragments: Make, tmp_path: Path) -> None:
    """43 frames of silence a second, and the last picture held."""
    one, two = fragments(ONE), fragments(OTHER)
    movie, path = clip_of(
        [one.run(), two.run(session="two", after_seconds=9)], tmp_path, gaps=Gaps.KEEP
    )
    begin = movie.spans[0].end_ticks / TICKS
    silent = [packet for packet in read_clip(path).audio if packet.silent]
    assert movie.silence_frames == len(silent)
    assert len(silent) == pytest.approx(
        (movie.spans[1].movie_seconds - begin) * 44_100 / 1024, abs=2
    )
    times = np.array([packet.seconds for packet in read_clip(path).video])
    assert np.diff(np.sort(times)).max() == pytest.approx(9 - 4, abs=0.1)


def test_a_run_that_follows_begins_at_a_keyframe(fragments: Make) -> None:
    """Only a movie's very beginning can be hidden."""
    one, two = fragments(ONE), fragments(OTHER)
    movie = plan([one.run(), two.run(30_000, session="two", after_seconds=7)])
    assert movie.spans[1].start_ticks == 180_000
    nothing = plan([one.run(), two.run(30_000, 90_000, session="two", after_seconds=7)])
    assert [span.session for span in nothing.spans] == ["one"]


def test_one_session_in_two_runs_that_meet_is_as_in_one(fragments: Make) -> None:
    """Where nothing lies between them, nothing is inserted but the frame on the edge of both."""
    one = fragments(Shape())
    parts = [one.run(0, 360_000, sources=one.sources[:3]), one.run(360_000, session="two")]
    movie = plan(parts)
    assert movie.spans[1].movie_seconds == pytest.approx(4.0, abs=0.024)
    assert movie.silence_frames == 1


@pytest.mark.edge("sessions that do not fit together")
@pytest.mark.parametrize(
    "odd", [Shape(size=(322, 182), frames=61), Shape(sample_rate=48_000, frames=61)], ids=str
)
def test_refuses_what_does_not_fit_and_offers_the_widest(odd: Shape, fragments: Make) -> None:
    """Another size or another sound can't be joined; the longest stretch that can is named."""
    one, two, other = fragments(ONE), fragments(OTHER), fragments(odd)
    runs = [
        other.run(session="odd"),
        one.run(after_seconds=10),
        two.run(session="two", after_seconds=20),
    ]
    with pytest.raises(Incompatible, match="without re-encoding") as refused:
        plan(runs)
    assert [run.session for run in refused.value.widest] == ["one", "two"]
