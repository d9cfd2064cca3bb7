"""A clip's play time and the wall clock, by the pauses that the clip leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clips import chapters, play_time
from app.models import ClipRow
from tests.rows import PartOfRow

BEGIN = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def gap(start: float, end: float, *, kept: bool = False) -> dict[str, Any]:
    return {"start": at(start), "end": at(end), "why": "not-recorded", "kept": kept}


def clip(*gaps: dict[str, Any], end: float = 60.0) -> ClipRow:
    row: PartOfRow = {"delivered_start": BEGIN, "delivered_end": at(end), "gaps": [*gaps]}
    return row  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("seconds", "start", "end"),
    [
        (0.0, 0.0, 0.0),
        (9.5, 9.5, 9.5),
        (10.0, 14.0, 10.0),  # two instants: before the pause, and after it
        (12.0, 16.0, 16.0),
        (15.0, 25.0, 19.0),
        (20.0, 30.0, 30.0),
    ],
)
def test_what_is_left_out_takes_no_play_time(seconds: float, start: float, end: float) -> None:
    """Of a clip with pauses from 10 to 14 s and from 19 to 25 s; one that is kept counts."""
    row = clip(gap(19, 25), gap(10, 14), gap(2, 3, kept=True), gap(-5, 0))
    assert play_time.instant(row, seconds) == at(start)
    assert play_time.instant(row, seconds, is_end=True) == at(end)


def test_a_part_has_the_gaps_that_lie_within_it() -> None:
    row = clip(gap(10, 14), gap(19, 25), gap(40, 50, kept=True))
    found = play_time.gaps_between(row, at(12), at(45))
    assert [(each["start"], each["end"]) for each in found] == [
        (at(12), at(14)),
        (at(19), at(25)),
        (at(40), at(45)),
    ]
    assert play_time.gaps_between(row, at(14), at(19)) == []


@pytest.mark.parametrize(
    ("instant", "seconds"),
    [
        (-0.1, None),
        (0.0, 0.0),
        (9.5, 9.5),
        (12.0, None),  # in a pause
        (14.0, 10.0),
        (21.0, None),
        (25.0, 15.0),
        (59.9, 49.9),
        (60.0, None),
    ],
)
def test_an_instant_is_a_moment_of_the_clip_unless_it_shows_nothing_then(
    instant: float, seconds: float | None
) -> None:
    told: PartOfRow = clip(gap(10, 14), gap(19, 25), gap(40, 41, kept=True))
    found = play_time.seconds_at(told, at(instant))
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_what_was_marked_is_told_in_order_and_not_twice_of_one_moment() -> None:
    told: PartOfRow = clip(gap(10, 14))
    marks: PartOfRow = [
        {"at": at(seconds), "label": label}
        for seconds, label in ((20, "c"), (3, "a"), (3.2, "a again"), (12, "pause"), (99, "after"))
    ]
    found = chapters.marked(told, marks)
    assert found == [{"seconds": 3.0, "label": "a"}, {"seconds": 16.0, "label": "c"}]
    assert chapters.within(found, 2.5, 16.0) == [{"seconds": 0.5, "label": "a"}]
    assert chapters.within(found, 16.0, 20.0) == [{"seconds": 0.0, "label": "c"}]
