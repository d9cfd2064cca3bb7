"""Intervals of wall-clock time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

Interval = tuple[datetime, datetime]
"""[start, end) on the wall clock."""


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in order and apart; those that touch or overlap are one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def within(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """What of [start, end) lies in intervals that are in order and apart."""
    cuts = [(max(start, first), min(end, last)) for first, last in intervals]
    return [(first, last) for first, last in cuts if first < last]
