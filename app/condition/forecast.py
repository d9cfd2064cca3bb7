"""When a number falls to another, if it goes on as it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_FEWEST = 4
"""Points, for less to be no more than a guess."""


def falls_to(least: float, points: Sequence[tuple[float, float]]) -> float | None:
    """At which time the line through points (time, number) reaches `least`.

    The line has the smallest squares of distances, and goes on from the last number. None: it does
    not fall, or there are too few points; in the past where `least` is reached already.
    """
    if len(points) < _FEWEST:
        return None
    last_at, last = points[-1]
    if last <= least:
        return last_at
    mean_at = sum(at for at, _ in points) / len(points)
    mean = sum(number for _, number in points) / len(points)
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    slope = sum((at - mean_at) * (number - mean) for at, number in points) / (spread or 1.0)
    return last_at + (least - last) / slope if slope < 0 else None
