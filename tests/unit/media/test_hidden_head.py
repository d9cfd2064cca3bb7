"""Where the pictures stand that a movie hides before its start."""

from __future__ import annotations

import numpy as np

from app.media.hidden_head import HURRY_TICKS, decode_times, hurried, unhurried
from app.media.prepared_fragment import HOLE_TICKS

FRAME = 6_000
IN_DECODE_ORDER = np.array([0, 3, 1, 2, 6, 4, 5, 9, 7, 8], np.int64) * FRAME


def test_what_is_hidden_is_over_before_the_start_in_its_order() -> None:
    """By the times at which it is shown, and by those at which it is decoded."""
    for start in range(0, 10 * FRAME, FRAME):
        shown = hurried(IN_DECODE_ORDER, start) - start
        hidden = shown < 0
        assert np.array_equal(shown[~hidden], IN_DECODE_ORDER[~hidden] - start)
        assert np.array_equal(np.argsort(shown), np.argsort(IN_DECODE_ORDER))
        decode = decode_times(shown)
        lengths = np.diff(decode)
        assert np.all(lengths > 0)
        lasts_until = shown[:-1] + lengths
        assert np.all(lasts_until[hidden[:-1]] < 0)


def test_read_back_it_is_as_far_apart_as_the_others() -> None:
    for start in range(0, 10 * FRAME, FRAME):
        times = IN_DECODE_ORDER - start
        assert np.array_equal(unhurried(hurried(times, 0), 10 * FRAME - start), times)


def test_what_few_pictures_follow_is_not_as_far_apart_as_these_last() -> None:
    """One picture may be shown for hours: the hidden ones were recorded close together."""
    for shown in ([0], [0, FRAME]):
        times = np.array([*range(-300 * FRAME, 0, FRAME), *shown], np.int64)
        read = unhurried(hurried(times, 0), 4 * 3600 * 90_000)
        assert read.min() >= -300 * HOLE_TICKS
        assert np.array_equal(read[300:], shown)


def test_what_has_times_of_its_own_keeps_them() -> None:
    for step in (HURRY_TICKS - 1, 2 * HURRY_TICKS, FRAME):
        times = np.arange(-3, 6) * step
        assert np.array_equal(unhurried(times, 6 * step), times)
