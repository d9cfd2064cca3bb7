"""A movie of ours read back: what it shows is what another one is planned from, to the sample."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from app.media import ends, own_movie
from app.media.aac import EGRESS_AUDIO
from app.media.init_segment import Init
from app.media.movie import Movie, Run, Source, plan
from app.media.movie_bytes import read, write
from app.media.own_movie import NotOurs
from app.media.samples import AAC_FRAME_SAMPLES, SampleTable
from app.models import Gaps
from tests.packet_checker import TICKS
from tests.unit.media.fragments import CLOCK

AVCC = bytes.fromhex("014d401fffe1000468eb8f2001000468ee3c80")
RATE = EGRESS_AUDIO.sample_rate
FRAME = 6_000
"""15 pictures a second."""
GROUP = 15
SEGMENT = 30


class Made:
    """A share of made-up samples: nobody decodes them, and no two are the same."""

    def __init__(
        self, folder: Path, seed: int, *, b_frames: bool, late: int = 0, segments: int = 5
    ) -> None:
        self.init = Init.build(AVCC, 320, 180, EGRESS_AUDIO, audio=True)
        self.dice = random.Random(seed)
        self.folder, self.b_frames = folder, b_frames
        self.heard = late
        folder.mkdir()
        self.sources = [self._source(number) for number in range(segments)]

    def _source(self, number: int) -> Source:
        order = list(range(SEGMENT))
        if self.b_frames:  # each reference is stored before the two that lean on it
            for place in range(1, SEGMENT - 2, 3):
                order[place : place + 3] = [place + 2, place, place + 1]
        pts = np.array(order, np.uint32) * FRAME
        first = (3 + number * SEGMENT) * FRAME
        sizes = np.array([self.dice.randrange(50, 500) for _ in order], np.uint32)
        until = (first + SEGMENT * FRAME) * RATE // TICKS
        count = (until - self.heard) // AAC_FRAME_SAMPLES
        sound = np.array([self.dice.randrange(10, 90) for _ in range(count)], np.uint16)
        table = SampleTable(
            first_pts=first,
            end_pts=first + SEGMENT * FRAME,
            pts=pts,
            sizes=sizes,
            keys=np.array([place % GROUP == 0 for place in order], np.bool_),
            first_audio=self.heard,
            audio_sizes=sound,
            sample_rate=RATE,
            audio=True,
        )
        self.heard += count * AAC_FRAME_SAMPLES
        head = self.dice.randbytes(40)
        data = head + self.dice.randbytes(int(sizes.sum()) + int(sound.sum()))
        path = self.folder / f"{number}.m4s"
        path.write_bytes(data)
        return Source(str(path), len(data), len(head), table)

    def run(self, start: int, end: int, *, session: str = "one", after: float = 0.0) -> Run:
        clock = CLOCK + timedelta(seconds=after)
        return Run(session, self.init, self.sources, start, end, clock)


def written(runs: list[Run], path: Path, gaps: Gaps = Gaps.SKIP) -> Movie:
    path.unlink(missing_ok=True)
    movie = plan(runs, gaps=gaps)
    write(movie, str(path))
    return movie


def again(movie: Movie, path: Path) -> Movie:
    """The movie planned anew from its own file."""
    return plan([own_movie.read(path, movie.spans[0].start, "own")])


def payload(movie: Movie) -> bytes:
    return b"".join(read(movie, len(movie.header)))


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_movie_read_back_is_planned_to_the_same_bytes(
    tmp_path: Path, seed: int, *, b_frames: bool
) -> None:
    """But for a last frame of sound that reaches over the end: that of the pictures cuts it off."""
    made = Made(tmp_path / "m", seed, b_frames=b_frames, late=seed % 3 * 7_000)
    start = made.dice.randrange(3 * FRAME, 100 * FRAME)
    movie = written([made.run(start, start + made.dice.randrange(FRAME, 60 * FRAME))],
                    tmp_path / "a.mp4")  # fmt: skip
    found = again(movie, tmp_path / "a.mp4")
    assert found.duration_seconds == movie.duration_seconds
    assert found.hidden_head_seconds == movie.hidden_head_seconds
    assert found.frames == movie.frames
    assert movie.audio_frames - found.audio_frames in (0, 1)
    assert found.spans[0].start == movie.spans[0].start
    if found.audio_frames == movie.audio_frames:
        assert (found.header, payload(found)) == (movie.header, payload(movie))
    else:
        assert payload(movie).startswith(payload(found))


@pytest.mark.parametrize("gaps", [Gaps.SKIP, Gaps.KEEP])
def test_one_of_several_sessions_is_read_back_as_one(tmp_path: Path, gaps: Gaps) -> None:
    """With the silence that joins them, and a pause that is kept."""
    one = Made(tmp_path / "one", 1, b_frames=True)
    two = Made(tmp_path / "two", 2, b_frames=False, late=9_000)
    runs = [
        one.run(40 * FRAME, 200 * FRAME),
        two.run(0, 70 * FRAME, session="two", after=11.5),
    ]
    movie = written(runs, tmp_path / "a.mp4", gaps)
    found = again(movie, tmp_path / "a.mp4")
    assert len(movie.spans) == 2
    assert found.duration_seconds == movie.duration_seconds
    assert found.frames == movie.frames
    assert payload(movie).startswith(payload(found))
    assert len(payload(movie)) - len(payload(found)) < 100


def test_only_what_is_hidden_is_to_be_encoded(tmp_path: Path) -> None:
    """The group that the start cuts through; what comes behind it is copied as it is."""
    made = Made(tmp_path / "m", 5, b_frames=True)
    movie = written([made.run(39 * FRAME, 120 * FRAME)], tmp_path / "a.mp4")
    assert movie.hidden_head_seconds > 0
    run = own_movie.read(tmp_path / "a.mp4", movie.spans[0].start, "own")
    found = ends.find([run])
    assert found is not None
    assert found.tail is None
    assert found.head is not None
    assert found.start == run.start_ticks
    shown = found.head.pts - run.start_ticks
    assert shown.min() == 0
    assert np.all(np.diff(shown) == FRAME)
    assert found.head.high <= GROUP


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    """Whatever was altered, it is read as a movie or refused, and nothing grows beyond measure."""
    made = Made(tmp_path / "m", 5, b_frames=False, segments=2)
    movie = written([made.run(20 * FRAME, 50 * FRAME)], tmp_path / "a.mp4")
    whole = (tmp_path / "a.mp4").read_bytes()
    header = len(movie.header)
    path = tmp_path / "b.mp4"
    for other in (b"", b"x", whole[:20], whole[: header // 2], b"\0" * 100):
        path.write_bytes(other)
        with pytest.raises(NotOurs):
            own_movie.read(path, CLOCK, "own")
    refused = 0
    dice = random.Random(1)
    for _ in range(300):
        damaged = bytearray(whole[:header])
        for _ in range(dice.randrange(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged)
        try:
            own_movie.read(path, CLOCK, "own")
        except NotOurs:
            refused += 1
    assert 50 < refused < 300
