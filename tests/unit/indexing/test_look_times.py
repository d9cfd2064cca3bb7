"""How soon a new segment is seen where nothing tells of it, and how many looks that takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.indexing.look_times import PACE_SECONDS, LookTimes

HOUR = 3600.0
README = Path(__file__).parents[3] / "deploy/README.md"


def looks_of(
    segment_seconds: int, phase: float, answer_seconds: float, away: tuple[float, float]
) -> tuple[int, float]:
    """Of an hour: how many looks there are, and the longest that a segment waited for one.

    The first segment is there at `phase`. Between the instants of `away` nobody answers: what is
    made then waits as long as that.
    """
    looks, now, seen, count, longest = LookTimes(), 0.0, 0, 0, 0.0
    while now < HOUR:
        if away[0] < now < away[1]:
            now = away[1]
        there = int((now - phase) // segment_seconds) + 1 if now >= phase else 0
        looks.note(now, there)
        if there > seen:
            since = phase + (there - 1) * segment_seconds
            if not away[0] - PACE_SECONDS < since < away[1]:
                longest = max(longest, now + answer_seconds - since)
        count, seen = count + 1, there
        now = max(now + answer_seconds, looks.next_at(segment_seconds))
    return count, longest


@pytest.mark.parametrize("segment_seconds", [1, 2, 4, 10, 30])
@pytest.mark.parametrize("answer_seconds", [0.005, 0.1, 0.3])
@pytest.mark.parametrize("away", [(0.0, 0.0), (100.0, 123.4), (100.0, 129.9)])
def test_a_segment_is_seen_within_a_second_for_about_two_looks(
    segment_seconds: int, answer_seconds: float, away: tuple[float, float]
) -> None:
    """Also the first one, and those after a while in which nobody answered."""
    for phase in (0.0, 0.1, 0.25, 0.49, 0.5, 0.7, 6.2):
        count, longest = looks_of(segment_seconds, phase, answer_seconds, away)
        assert longest <= PACE_SECONDS + answer_seconds + 0.001
        assert count <= 2.2 * HOUR / segment_seconds + 4 * segment_seconds + 20


def test_the_readme_tells_how_many_requests_a_live_hour_takes() -> None:
    """Of the service, and of egress, which puts each segment and two playlists that name it."""
    text = README.read_text().partition("## Egress elsewhere")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [2, 4, 10]
    for told in rows:
        segment_seconds, looks, fetched, deleted, uploaded = map(int, told)
        segments = 3600 // segment_seconds
        assert (fetched, deleted, uploaded) == (segments, segments, 3 * segments)
        found, _ = looks_of(segment_seconds, 0.3, 0.05, (0.0, 0.0))
        assert abs(found - looks) < looks / 20
