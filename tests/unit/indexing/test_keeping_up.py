"""Whether an egress keeps up, by when its segments came: no pause and no fault of ours counts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.keeping_up import KeepingUp

TICKS = 90_000
LOOK_SECONDS = 0.5


class Egress:
    """Segments as they come, and a reader that looks twice a second, whenever they come."""

    def __init__(self, length: float = 2.0) -> None:
        self.length = length
        self.measure = KeepingUp()
        self.now = 100.0
        self.media = 0.0
        self.look_at = self.now + LOOK_SECONDS
        self.measure.absent(self.now)

    def pause(self, seconds: float, *, looks: bool = True) -> None:
        """Nothing comes; the reader looks meanwhile, or does not."""
        self.now += seconds
        while looks and self.look_at < self.now:
            self.measure.absent(self.look_at)
            self.look_at += LOOK_SECONDS
        self.look_at = max(self.look_at, self.now)

    def segment(self, factor: float = 1.0, *, leap: float = 0.0) -> None:
        """One that takes `factor` times its length; `leap`: so much media was left out before."""
        self.pause(factor * self.length)
        self.comes(leap=leap)

    def comes(self, *, leap: float = 0.0) -> None:
        self.media += self.length + leap
        self.measure.came(round(self.media * TICKS))

    def until_behind(self, factor: float, at_most: float = 300.0) -> float | None:
        """After how many seconds it is found to be behind; None: not within `at_most`."""
        began = self.now
        while self.now - began < at_most:
            self.segment(factor)
            if self.measure.is_behind:
                return self.now - began
        return None


@pytest.mark.parametrize("length", [1.0, 2.0, 4.0, 10.0, 30.0])
@pytest.mark.parametrize("factor", [1.0, 1.005])
def test_what_comes_as_fast_as_time_goes_by_is_never_behind(length: float, factor: float) -> None:
    """Nor for hours, where the sender's clock is slower than ours."""
    assert Egress(length).until_behind(factor, at_most=20_000) is None


@pytest.mark.parametrize(
    ("length", "factor", "soonest", "latest"),
    [(2.0, 1.25, 30, 60), (2.0, 1.5, 25, 45), (2.0, 3.0, 20, 50), (1.0, 2.0, 20, 35),
     (10.0, 1.5, 60, 95), (2.0, 1.1, 60, 180), (2.0, 1.05, 120, 300)],
)  # fmt: skip
def test_what_comes_later_and_later_is_behind(
    length: float, factor: float, soonest: float, latest: float
) -> None:
    """Six seconds late, and that for fifteen seconds."""
    seconds = Egress(length).until_behind(factor)
    assert seconds is not None
    assert soonest <= seconds <= latest


def test_what_stays_late_is_behind_though_it_gets_no_later() -> None:
    """It leaves out by now what it has no time for, and what it writes is as late as before."""
    egress = Egress()
    for _ in range(6):
        egress.segment(2.0)
    for _ in range(9):
        egress.segment(1.0)
    assert egress.measure.is_behind


def test_what_catches_up_is_not_behind_any_more() -> None:
    egress = Egress()
    assert egress.until_behind(2.0) is not None
    while egress.measure.late_seconds > 3.0:
        assert egress.measure.is_behind
        egress.segment(0.5)
    assert not egress.measure.is_behind
    for _ in range(100):
        egress.segment(1.0)
    assert not egress.measure.is_behind


def test_what_is_late_for_less_than_fifteen_seconds_is_not_behind() -> None:
    egress = Egress()
    for _ in range(20):
        for _ in range(6):
            egress.segment(2.0)
        assert egress.measure.late_seconds > 6
        assert not egress.measure.is_behind
        while egress.measure.late_seconds > 0:
            egress.segment(0.5)
        assert not egress.measure.is_behind


@pytest.mark.parametrize("is_in_times", [True, False])
@pytest.mark.parametrize("length", [1.0, 2.0, 10.0])
def test_a_share_that_sends_nothing_for_a_while_is_not_behind(
    length: float, is_in_times: bool
) -> None:
    """Whether or not the times of its media leap over the pause."""
    egress = Egress(length)
    for seconds in (5, 8, 5, 8, 20, 300, 3600):
        egress.pause(seconds)
        egress.segment(1.0, leap=seconds if is_in_times else 0.0)
        for _ in range(60):
            egress.segment(1.0)
            assert not egress.measure.is_behind


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("is_in_times", [True, False])
def test_an_hour_of_pauses_of_up_to_a_segment_is_not_behind(seed: int, is_in_times: bool) -> None:
    """Twice a minute, whether or not the times of the media leap over them."""
    luck, egress = random.Random(seed), Egress()
    for _ in range(1800):
        seconds = luck.uniform(0, 2) if luck.random() < 1 / 15 else 0.0
        egress.pause(seconds)
        egress.segment(1 + luck.uniform(-0.05, 0.05), leap=seconds if is_in_times else 0.0)
        assert not egress.measure.is_behind


def test_a_share_that_is_muted_again_and_again_is_not_behind() -> None:
    """Black pictures are two seconds late; with the next picture the times leap over that."""
    egress = Egress()
    for _ in range(50):
        egress.segment(2.0)
        egress.segment(1.0)
        egress.segment(1.0, leap=2.0)
        assert not egress.measure.is_behind


def test_a_reader_that_was_stopped_takes_no_egress_for_late() -> None:
    """What came meanwhile has come no sooner than it looked last; then it goes on as before."""
    egress = Egress()
    for stopped in (4, 30, 600):
        for _ in range(10):
            egress.segment(1.0)
        egress.pause(stopped, looks=False)
        for _ in range(stopped // 2):
            egress.comes()
        egress.measure.absent(egress.now)
        for _ in range(30):
            egress.segment(1.0)
            assert not egress.measure.is_behind


@given(st.lists(st.floats(0.0, 1.9), max_size=60))
def test_a_reader_that_looks_late_each_time_takes_no_egress_for_late(waits: list[float]) -> None:
    """However long it leaves each segment unseen, as long as it sees them in the end."""
    measure, media = KeepingUp(), 0.0
    for number, wait in enumerate(waits):
        looked_at = 2.0 * number + wait  # the next one is not there yet, the one before is
        measure.came(round(media * TICKS))
        measure.absent(looked_at)
        media += 2.0
        assert not measure.is_behind
        assert measure.late_seconds < 6


def test_an_egress_whose_segments_follow_on_slow_looks_is_not_taken_for_late() -> None:
    """The disk that we are slow on is egress's, too."""
    egress = Egress()
    for _ in range(100):
        egress.segment(2.0)
        egress.measure.slow()
        assert not egress.measure.is_behind


def test_a_reader_that_is_slow_now_and_then_sees_all_the_same_what_is_late() -> None:
    """And what has caught up, meanwhile or later."""
    egress = Egress()
    began = egress.now
    while not egress.measure.is_behind:
        for _ in range(4):
            egress.segment(2.0)
        egress.measure.slow()
        assert egress.now - began < 60
    egress.measure.slow()
    egress.segment(0.1, leap=8.0)
    assert not egress.measure.is_behind


def test_whether_it_keeps_up_is_known_only_once_enough_was_seen() -> None:
    egress = Egress()
    for _ in range(8):
        egress.segment(1.0)
        assert not egress.measure.keeps_up
    egress.segment(1.0)
    assert egress.measure.keeps_up
    egress.measure.restart()
    assert not egress.measure.keeps_up
    for _ in range(20):
        egress.segment(2.0)
        assert not egress.measure.keeps_up


def test_what_was_no_measure_is_forgotten() -> None:
    egress = Egress()
    assert egress.until_behind(2.0) is not None
    egress.measure.restart()
    assert not egress.measure.is_behind
    egress.measure.absent(egress.now)
    began = egress.now
    assert egress.until_behind(2.0) is not None
    assert egress.now - began > 20


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=200))
def test_what_comes_a_little_sooner_or_later_is_not_behind(jitter: list[float]) -> None:
    """Each segment within half a second of when it is due: the pace is that of time."""
    measure, before = KeepingUp(), 0.0
    for number, off in enumerate(jitter, 1):
        due = 2.0 * number + off
        measure.absent(max(before, due))
        measure.came(2 * number * TICKS)
        before = max(before, due)
        assert not measure.is_behind
        assert measure.late_seconds < 3
