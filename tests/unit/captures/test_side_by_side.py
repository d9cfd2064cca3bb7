"""Where, and when, each clip of a moment is in the film of all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from app.captures import side_by_side
from app.captures.side_by_side import LeftOut
from app.models import ClipRow
from tests.rows import PartOfRow

BEGIN = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def clip(
    size: tuple[int, int] = (1920, 1080), *, begin: float = 0.0, audio: bool = True, **given: Any
) -> ClipRow:
    row: PartOfRow = {
        "width": size[0], "height": size[1], "audio": audio, "gaps": [], "duration_seconds": 10.0,
        "delivered_start": at(begin), "delivered_end": at(begin + 10.0), **given,
    }  # fmt: skip
    return row  # type: ignore[no-any-return]


HD, TALL, SMALL = (1920, 1080), (1080, 1920), (320, 180)


@pytest.mark.parametrize(
    ("sizes", "film", "place"),
    [
        ([HD, HD], (1920, 540), (960, 540)),
        ([HD, HD, HD], (1920, 1080), (960, 540)),
        ([HD, HD, HD, HD], (1920, 1080), (960, 540)),
        ([TALL, TALL], (1212, 1080), (606, 1080)),
        ([SMALL, SMALL], (640, 180), (320, 180)),
        ([SMALL, HD, SMALL], (1920, 1080), (960, 540)),
        ([(1, 1), (1, 1)], (4, 2), (2, 2)),
    ],
)
def test_no_film_is_larger_than_1080p_and_no_place_than_its_clips_need(
    sizes: list[tuple[int, int]], film: tuple[int, int], place: tuple[int, int]
) -> None:
    arranged = side_by_side.plan([clip(size) for size in sizes])
    assert (arranged.size, (arranged.width, arranged.height)) == (film, place)
    lefts_and_tops = product((0, place[1]), (0, place[0]))
    for cell, (top, left) in zip(arranged.cells, lefts_and_tops, strict=False):
        assert (cell.left, cell.top) == (left, top)


def test_clips_are_in_step_and_blank_where_they_are_not() -> None:
    """A pause that a clip leaves out moves what follows, as its clock has it."""
    gap = {"start": at(5), "end": at(9), "why": "not-recorded", "kept": False}
    kept = {"start": at(11), "end": at(12), "why": "lost", "kept": True}
    late, paused = (
        clip(begin=2.5),
        clip(begin=1.0, delivered_end=at(15), gaps=[kept, gap]),
    )
    arranged = side_by_side.plan([late, paused])
    assert arranged.seconds == 14.0
    first, second = arranged.cells
    assert (first.begin, first.end, first.pauses) == (1.5, 11.5, ())
    assert (second.begin, second.end, second.pauses) == (0.0, 14.0, (LeftOut(4.0, 4.0),))
    assert first.moved == "PTS+(1.500000)/TB"
    assert second.moved == "PTS+(0.000000+gte(T,3.999000)*4.000000)/TB"
    assert first.blank == "lt(t,1.500000)+gte(t,11.500000)"
    assert second.blank == "lt(t,0.000000)+gte(t,14.000000)+gte(t,4.000000)*lt(t,7.999000)"


@pytest.mark.parametrize(
    ("sounds", "heard"), [([True, True], 0), ([False, False, True, True], 2), ([False, False], 0)]
)
def test_the_first_clip_is_heard_or_the_first_that_has_sound(
    sounds: list[bool], heard: int
) -> None:
    assert side_by_side.plan([clip(audio=each) for each in sounds]).heard == heard
