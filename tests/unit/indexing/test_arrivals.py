"""What comes first of a session tells whether its clock is ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.indexing.arrivals import Arrivals

CAME = datetime(2026, 11, 22, 20, 48, tzinfo=UTC)
USUAL = 3.3
"""Seconds from the end of a segment of 2 s until it comes."""


def told(arrivals: Arrivals, *late: float) -> list[float]:
    """What it says of segments that come so many seconds after their end, one after another."""
    ends = [CAME - timedelta(seconds=each) for each in late]
    return [round(arrivals.note(end, CAME).total_seconds(), 1) for end in ends]


@pytest.mark.parametrize("late", [0, USUAL, 20, -20])
def test_what_comes_in_time_or_nearly_so_moves_nothing(late: float) -> None:
    assert told(Arrivals(2), *[late] * 10) == [0] * 10


@pytest.mark.parametrize("off", [1_200, -1_200, 10**9])
def test_three_that_come_far_from_their_time_set_the_clock(off: float) -> None:
    late = [off + USUAL + 0.4, off + USUAL, off + USUAL + 1.5]
    assert told(Arrivals(2), *late, USUAL) == [0, 0, off, 0]


def test_an_egress_that_falls_behind_has_no_other_clock() -> None:
    assert told(Arrivals(2), *range(4, 400, 4)) == [0] * 99


def test_another_clock_is_looked_at_anew() -> None:
    arrivals = Arrivals(2)
    assert told(arrivals, USUAL) == [0]
    arrivals.anew()
    assert told(arrivals, *[900 + USUAL] * 3) == [0, 0, 900]
