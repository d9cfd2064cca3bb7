"""Levels of segments on the wall clock, and none that a window does not hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.media.prepared_fragment import LOUDEST
from app.media.samples import SampleTable
from app.models import MediaRange
from app.viewing.waveforms import Stretch, stretches
from tests.rows import PartOfRow
from tests.unit.buffer.rows import SECOND, at

RATE = 1_024  # a frame of sound is a second


def row(
    begin: int, levels: bytes, *, sound: int = 0, session: str = "s", **altered: Any
) -> PartOfRow:
    """A segment from second `begin` on, whose sound, a frame for each level, is `sound` s later."""
    table = SampleTable(
        first_pts=begin * SECOND,
        end_pts=(begin + len(levels)) * SECOND,
        pts=np.zeros(1, np.uint32),
        sizes=np.ones(1, np.uint32),
        keys=np.ones(1, np.bool_),
        first_audio=(begin + sound) * RATE,
        audio_sizes=np.full(len(levels), 9, np.uint16),
        sample_rate=RATE,
        audio=True,
    )
    table = replace(table, **altered)
    ticks = {"start_ticks": begin * SECOND, "start": at(begin)}
    return {"session_id": session, "levels": levels, "samples": table.pack()} | ticks


def within(start: float, end: float, session: str = "s") -> MediaRange:
    start_ticks, end_ticks = round(start * SECOND), round(end * SECOND)
    return MediaRange(session_id=session, start_ticks=start_ticks, end_ticks=end_ticks)


ROWS = [row(0, bytes([1, 2, 3, 4])), row(4, bytes([5, 6, 7, 8]))]


def test_each_segment_tells_of_its_sound() -> None:
    assert stretches(ROWS, [within(0, 8)]) == [
        Stretch(at(0), at(4), bytes([1, 2, 3, 4])),
        Stretch(at(4), at(8), bytes([5, 6, 7, 8])),
    ]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (1, 3, [(1, 3, [2, 3])]),
        (0.5, 3.5, [(1, 3, [2, 3])]),
        (3, 6.9, [(3, 4, [4]), (4, 6, [5, 6])]),
        (1.1, 1.9, []),
        (9, 12, []),
        (5, 5, []),
    ],
)
def test_a_part_that_lies_in_a_range_only_partly_is_left_out(
    start: float, end: float, found: list[tuple[int, int, list[int]]]
) -> None:
    """Else it would tell of what somebody may not hear."""
    wanted = [Stretch(at(a), at(b), bytes(levels)) for a, b, levels in found]
    assert stretches(ROWS, [within(start, end)]) == wanted


def test_two_stays_in_one_segment_are_told_apart() -> None:
    assert stretches(ROWS[:1], [within(0, 1), within(2, 3)]) == [
        Stretch(at(0), at(1), bytes([1])),
        Stretch(at(2), at(3), bytes([3])),
    ]


def test_sound_stands_where_it_is_heard_not_where_its_pictures_are() -> None:
    found = stretches([row(4, bytes([5, 6]), sound=1)], [within(0, 20)])
    assert found == [Stretch(at(5), at(7), bytes([5, 6]))]


def test_ranges_of_another_session_open_nothing() -> None:
    assert stretches([row(0, b"\x05")], [within(0, 8, "other")]) == []


@pytest.mark.parametrize(
    "other",
    [
        ROWS[0] | {"levels": b""},
        ROWS[0] | {"samples": b"st"},
        row(0, b"\x05", sample_rate=0),
        row(0, b"\x05", audio_sizes=np.zeros(0, np.uint16)),
        row(0, bytes([5, LOUDEST + 1])),
    ],
    ids=["no levels", "no table", "no rate", "no sound", "louder than full scale"],
)
def test_a_segment_without_levels_or_whose_row_was_altered_is_passed_over(other: PartOfRow) -> None:
    assert stretches([other, ROWS[1]], [within(0, 8)]) == stretches(ROWS[1:], [within(0, 8)])


def test_times_are_exact_to_the_millisecond_however_many_parts_there_are() -> None:
    one = row(0, bytes(range(60)))
    (found,) = stretches([one], [within(7, 53)])
    assert abs(found.start - at(7)) < timedelta(milliseconds=1)
    assert abs(found.end - at(53)) < timedelta(milliseconds=1)
    assert found.levels == bytes(range(7, 53))
