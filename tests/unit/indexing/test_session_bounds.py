"""What a session can hold at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.indexing.session_bounds import MORE_SEGMENTS, SessionBounds

BEGAN = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(("age_seconds", "most"), [(-3600, 0), (0, 0), (60, 60), (3600, 3600)])
def test_a_session_has_at_most_twice_the_segments_that_its_time_is_for(
    age_seconds: int, most: int
) -> None:
    now = BEGAN + timedelta(seconds=age_seconds)
    assert SessionBounds(2, BEGAN).last_sequence(now) == MORE_SEGMENTS + most


def test_a_session_goes_on_where_our_clock_was_set_back() -> None:
    an_hour_before = BEGAN - timedelta(hours=1)
    last = SessionBounds(2, BEGAN).last_sequence(an_hour_before, 5_000, 600.0)
    assert last == 5_000 + MORE_SEGMENTS + 600
