"""app.captures.size_estimate: what a clip is reckoned to take before it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.captures.size_estimate import UNKNOWN_BYTES_PER_SECOND, SizedSegment, estimated_bytes

START = datetime(2026, 11, 3, 10, tzinfo=UTC)


def segments(count: int, seconds: float = 2.0, size_bytes: int = 1_000_000) -> list[SizedSegment]:
    return [
        {
            "start": START + timedelta(seconds=number * seconds),
            "end": START + timedelta(seconds=(number + 1) * seconds),
            "size_bytes": size_bytes,
        }
        for number in range(count)
    ]


def estimated(rows: list[SizedSegment], start: float, end: float, *, waits: bool = False) -> int:
    instants = (START + timedelta(seconds=start), START + timedelta(seconds=end))
    return estimated_bytes(rows, *instants, waits=waits)


def test_segments_count_whole_with_the_index_on_top() -> None:
    assert estimated(segments(10), 0, 20) == pytest.approx(10_200_000, rel=0.001)
    assert estimated(segments(10), 3, 5) == pytest.approx(2_040_000, rel=0.01)


def test_what_is_still_to_come_is_taken_to_be_like_what_is_there() -> None:
    assert estimated(segments(5), 0, 20, waits=True) == pytest.approx(10_200_000, rel=0.001)
    assert estimated(segments(5), 0, 20) == pytest.approx(5_100_000, rel=0.001)


def test_a_share_without_media_is_taken_for_the_default_encoding() -> None:
    expected = 10 * UNKNOWN_BYTES_PER_SECOND
    assert estimated([], 0, 10, waits=True) == pytest.approx(expected, rel=0.03)
    assert estimated([], 0, 10) < 10_000


def test_segments_beside_the_window_do_not_count() -> None:
    assert estimated(segments(10), 20, 30) < 10_000
    assert estimated(segments(1, seconds=0), 0, 30) < 10_000
