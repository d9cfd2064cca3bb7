"""Intervals of time: joined, and what of a window lies in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.models.intervals import Interval, joined, within

SECONDS = st.integers(0, 40)
PAIRS = st.lists(st.tuples(SECONDS, SECONDS).map(sorted), max_size=8)
ZERO = datetime(2026, 11, 28, tzinfo=UTC)


def interval(start: int, end: int) -> Interval:
    return ZERO + timedelta(seconds=start), ZERO + timedelta(seconds=end)


def seconds(intervals: list[Interval]) -> set[int]:
    """The whole seconds that lie in them."""
    return {n for n in range(41) if any(a <= interval(n, n)[0] < b for a, b in intervals)}


@given(pairs=PAIRS)
def test_joined_is_the_same_time_in_order_and_apart(pairs: list[list[int]]) -> None:
    given_ones = [interval(a, b) for a, b in pairs]
    found = joined(given_ones)
    assert seconds(found) == seconds(given_ones)
    assert all(a < b for a, b in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(pairs=PAIRS, start=SECONDS, end=SECONDS)
def test_within_is_what_both_hold(pairs: list[list[int]], start: int, end: int) -> None:
    own = joined(interval(a, b) for a, b in pairs)
    found = within(own, *interval(start, end))
    assert seconds(found) == seconds(own) & set(range(start, end))
