"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.models.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("2m", 120), ("1m30s", 90), ("1.5h", 5400), ("0.25", 0.25)],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "m", "2x", "-5", "1e9", "nan", "inf", " 5", "5 m", "2m30", "٣", "1" * 12 + "s"]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time: write 90s, 2m or 1m30s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "0m", "0.0s"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        parse_duration(text)


def test_more_than_time_is_counted_for_is_refused() -> None:
    """However many parts it is made of."""
    with pytest.raises(ValueError, match="longer than time is counted"):
        parse_duration("999999999h" * 30)
