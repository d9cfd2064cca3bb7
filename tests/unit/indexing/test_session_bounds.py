"""What a session can hold at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.buffer.clock import SKEW, TICKS_PER_SECOND
from app.indexing.playlist import Entry
from app.indexing.session_bounds import MARGIN_SECONDS, MORE_SEGMENTS, SessionBounds

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


def test_media_has_got_no_further_than_the_time_that_its_session_has_lasted() -> None:
    """By our clock, give or take what egress's may be away; or by how long it was followed."""
    bounds, now = SessionBounds(2, BEGAN), BEGAN + timedelta(hours=1)
    assert bounds.latest_ticks(now) == (3600 + SKEW.total_seconds()) * TICKS_PER_SECOND
    an_hour_before = BEGAN - timedelta(hours=1)
    set_back = bounds.latest_ticks(an_hour_before, 3000 * TICKS_PER_SECOND, 600.0)
    assert set_back == (3000 + 600 + MARGIN_SECONDS) * TICKS_PER_SECOND


def test_a_gap_begins_no_later_than_media_can_have_got_to() -> None:
    entry, latest = Entry("segment_7.ts", 7, 2.0, None), 70 * TICKS_PER_SECOND
    gap = SessionBounds(2, BEGAN).gap(entry, 86_400 * TICKS_PER_SECOND, latest)
    assert gap == (latest, latest + 2 * TICKS_PER_SECOND)
