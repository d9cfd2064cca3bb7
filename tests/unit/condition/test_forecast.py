"""When the disk is full: a line through what was free."""

from __future__ import annotations

import pytest

from app.condition.forecast import falls_to


def test_what_falls_steadily_reaches_it_where_the_line_does() -> None:
    points = [(at, 100.0 - at) for at in range(0, 50, 10)]
    assert falls_to(10.0, points) == pytest.approx(90.0)


def test_one_that_leaps_changes_little_of_a_line_through_many() -> None:
    points = [(float(at), 1000.0 - at) for at in range(100)]
    points[50] = (50.0, 1000.0)
    found = falls_to(0.0, points)
    assert found is not None
    assert found == pytest.approx(1000.0, rel=0.01)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0.0, 9.0), (1.0, 8.0), (2.0, 7.0)],
        [(float(at), 5.0) for at in range(9)],
        [(float(at), 5.0 + at) for at in range(9)],
        [(3.0, 5.0)] * 9,
    ],
)
def test_nothing_is_said_of_what_does_not_fall_or_is_hardly_known(
    points: list[tuple[float, float]],
) -> None:
    assert falls_to(1.0, points) is None


def test_what_is_there_already_is_not_in_the_future() -> None:
    assert falls_to(10.0, [(float(at), 9.0 + at) for at in (0, -1, -2, -3)]) == -3.0
