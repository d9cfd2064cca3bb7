"""What stands in for the clock of a session until the egress's own is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.buffer.clock import wall
from app.indexing.playlist import Entry
from app.indexing.session_clock import stand_in
from tests.unit.buffer.rows import SECOND, at, session

TICKS = st.integers(0, 26 * 3600 * SECOND)


def error_seconds(told: datetime | None, ticks: int, length: int, seconds: float) -> float:
    """By how much a segment that began at `at(100)` is put too late."""
    # measured of egress v1.14.1: closed its own length and 1.3 s after its last frame
    committed_at = at(100 + seconds + length + 1.3)
    row = session(created_at=at(0), segment_seconds=length)
    clock_ns = stand_in(Entry("a.ts", 0, seconds, told), ticks, committed_at, row, at(200))
    return (wall(clock_ns, ticks) - at(100)).total_seconds()


@given(TICKS, st.floats(1.2, 2.2))
def test_program_date_time_is_wrong_by_half_a_second_at_most(ticks: int, late: float) -> None:
    """It is late by 1.2 to 2.2 s."""
    assert abs(error_seconds(at(100 + late), ticks, 2, 2.0)) <= 0.502


@pytest.mark.parametrize("told", [None, datetime(2262, 1, 1, tzinfo=UTC), at(0) - timedelta(2)])
@pytest.mark.parametrize("length", [2, 4, 10])
@pytest.mark.parametrize("longer", [0.0, 1.23])
def test_so_is_the_commit_if_there_is_no_program_date_time_that_can_be(
    told: datetime | None, length: int, longer: float
) -> None:
    """Whatever the length of segments, and of one that has a hole."""
    assert abs(error_seconds(told, 7 * SECOND, length, length + longer)) <= 0.5
