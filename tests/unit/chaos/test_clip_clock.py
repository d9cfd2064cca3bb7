"""tests.chaos.clip_clock: what is wrong with a clip, by the clocks in its pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local import picture_clock
from tests.chaos.clip_clock import Shown, faults

START = 1_800_000_000.0


def told(at: float) -> str:
    return datetime.fromtimestamp(START + at, UTC).isoformat()


def clip(seconds: float = 4.0, *, gaps: tuple[tuple[float, float, bool], ...] = ()) -> Any:
    """A clip of a window of `seconds`; each gap is its start, its end, and whether it is kept."""
    window = {"start": told(0), "end": told(seconds)}
    parts = [{"start": told(a), "end": told(b), "kept": kept} for a, b, kept in gaps]
    return {"requested": window, "delivered": window, "gaps": parts, "notes": []}


def pictures(first: float, last: float, *, at: float = 0.0, lag: float = 0.05) -> list[Shown]:
    """Ten pictures a second of [first, last), the first of which is shown `at`, each `lag` late."""
    return [
        Shown(at + n / 10, (START + first + n / 10 - lag) % picture_clock.PERIOD_SECONDS)
        for n in range(round((last - first) * 10))
    ]


def test_a_clip_of_the_window_is_right() -> None:
    assert faults(clip(), pictures(0, 4)) == []


def test_black_pictures_have_no_clock_to_be_wrong() -> None:
    black = [Shown(n / 10, float("nan")) for n in range(10)]
    assert faults(clip(), [*black, *pictures(1, 4, at=1.0)]) == []


def test_a_gap_that_is_left_out_moves_what_follows() -> None:
    shown = [*pictures(0, 1), *pictures(3, 4, at=1.0)]
    assert faults(clip(gaps=((1.0, 3.0, False),)), shown) == []
    assert faults(clip(), shown) != []


def test_a_gap_before_the_first_picture_moves_nothing() -> None:
    """What is delivered begins after it."""
    begun = clip(gaps=((0.0, 3.0, False),)) | {"delivered": {"start": told(3), "end": told(4)}}
    assert faults(begun, pictures(3, 4)) == []


def test_a_gap_that_is_kept_takes_its_time() -> None:
    shown = [*pictures(0, 1), *pictures(3, 4, at=3.0)]
    assert faults(clip(gaps=((1.0, 3.0, True),)), shown) == []
    assert faults(clip(), shown) == [f"stands still for 2.10 s at {START + 0.9:.2f}"]


@pytest.mark.parametrize("lag", [-1.0, 3.0])
def test_pictures_of_another_time_are_wrong(lag: float) -> None:
    [fault] = faults(clip(), pictures(0, 4, lag=lag))
    assert "beside the time" in fault


def test_late_pictures_are_right_where_something_held_them_back() -> None:
    assert faults(clip(), pictures(0, 4, lag=3.0), held_seconds=2.0) == []
    assert faults(clip(), pictures(0, 4, lag=3.0), slowdown=3.0) == []


def test_pictures_in_another_order_are_wrong() -> None:
    shown = pictures(0, 4)
    shown[3], shown[4] = Shown(shown[3].at, shown[4].clock), Shown(shown[4].at, shown[3].clock)
    assert faults(clip(), shown) == ["shows an earlier picture after a later one"]


def test_what_is_missing_is_to_be_said() -> None:
    late = clip() | {"delivered": {"start": told(2), "end": told(4)}}
    assert faults(late, pictures(2, 4)) == ["begins 2.00 s late and does not say so"]
    assert faults(late | {"notes": ["start-clamped"]}, pictures(2, 4)) == []
    early = clip() | {"delivered": {"start": told(0), "end": told(3)}}
    assert faults(early, pictures(0, 3)) == ["ends 1.00 s early and does not say so"]
    assert faults(early | {"notes": ["end-clamped"]}, pictures(0, 3)) == []


def test_a_clip_without_pictures_is_wrong() -> None:
    assert faults(clip(), []) == ["holds no picture"]
