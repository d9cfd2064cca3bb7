"""Media time and wall clock, to and fro."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.buffer.clock import ahead_seconds, anchored, ticks_at, wall
from tests.unit.buffer.rows import SECOND, at, nanoseconds, session

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


@pytest.mark.parametrize(
    ("clock_at", "given", "ahead"),
    [
        (11, {}, 0),
        (20, {}, 5),
        (7, {}, -3),
        (7, {"start_sent_at": None}, 0),
        (40, {"clock_exact": False}, 0),
        (None, {}, 0),
    ],
)
def test_egresss_clock_is_ahead_if_its_media_begins_after_it_records_and_behind_if_before_its_start(
    clock_at: float | None, given: dict[str, Any], ahead: float
) -> None:
    row = session(**({"clock_at": clock_at, "start_sent_at": at(10), "active_at": at(15)} | given))
    assert ahead_seconds(row) == ahead
