"""Times for the few samples that egress wrote without one. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

_ONE_IN = 10
"""A stream of which more samples have no time is not worth guessing at."""
_TOO_FEW = 4


class TooManyTimeless(ValueError):
    """Too many samples have no time."""


def all_times(told: Sequence[int | None]) -> list[int]:
    """The times of a stream's samples, in decode order, with those that are lacking.

    The samples after one may need it, so it is kept, in the place that is free where it should be.
    Raises TooManyTimeless.
    """
    known = [(place, each) for place, each in enumerate(told) if each is not None]
    lacking = len(told) - len(known)
    if lacking and (lacking > max(1, len(told) // _ONE_IN) or len(known) < _TOO_FEW):
        raise TooManyTimeless(f"{lacking} of {len(told)} samples have no time")
    times = dict(known)
    free = _free_places([each for _, each in known]) if lacking else []
    for place in range(len(told)):
        if place not in times:
            times[place] = _nearest(free, _between(place, known))
            free.remove(times[place])
    return [times[place] for place in range(len(told))]


def _nearest(times: list[int], about: int) -> int:
    return min(times, key=lambda each: abs(each - about))


def _free_places(known: list[int]) -> list[int]:
    """Times at which a sample is missing, and those just before and after all of them."""
    ordered = sorted(known)
    usual = max(1, round(median(later - earlier for earlier, later in pairwise(ordered))))
    free = [ordered[0] - usual, ordered[-1] + usual, ordered[-1] + 2 * usual]
    for earlier, later in pairwise(ordered):
        count = round((later - earlier) / usual) - 1
        free += [earlier + usual * each for each in range(1, min(count, len(known)) + 1)]
    return free


def _between(place: int, known: list[tuple[int, int]]) -> int:
    """The time on the line through the two nearest neighbours in decode order."""
    right = min(max(1, bisect_left(known, (place, 0))), len(known) - 1)
    (one, first), (other, second) = known[right - 1], known[right]
    return first + (second - first) * (place - one) // (other - one)
