"""Media time and wall clock, to and fro."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.buffer.clock import anchored, ticks_at, wall
from tests.unit.buffer.rows import SECOND, at, nanoseconds

CLOCK = nanoseconds(at(0))
TICKS = st.integers(0, 26 * 3600 * SECOND)


def test_a_tick_is_a_90000th_of_a_second_after_the_clock() -> None:
    assert wall(CLOCK, 0) == at(0)
    assert wall(CLOCK, 90_000) == at(1)
    assert wall(CLOCK, 6_000) == at(0) + timedelta(milliseconds=66)  # cut to ms
    assert ticks_at(CLOCK, at(2.5)) == 225_000
    assert ticks_at(CLOCK, at(-1)) == -90_000


@given(TICKS, st.integers(0, 10**9))
def test_an_instant_leads_back_to_its_tick_within_a_millisecond(ticks: int, more: int) -> None:
    assert 0 <= ticks - ticks_at(CLOCK + more, wall(CLOCK + more, ticks)) <= 90


@given(TICKS, TICKS)
def test_later_media_is_never_earlier_on_the_wall(one: int, other: int) -> None:
    assert (wall(CLOCK, one) <= wall(CLOCK, other)) or one > other


@given(TICKS)
def test_an_anchor_lies_where_it_was_put(ticks: int) -> None:
    assert abs(wall(anchored(at(100), ticks), ticks) - at(100)) <= timedelta(milliseconds=1)
