"""What is kept around a mark: intervals of wall-clock time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

BEFORE = timedelta(seconds=60)
AFTER = timedelta(seconds=15)
"""What is kept around a mark: what one has just seen, and how it ends."""

Interval = tuple[datetime, datetime]
"""[start, end) on the wall clock."""


def around(at: datetime) -> Interval:
    """What is kept for a mark at an instant."""
    return at - BEFORE, at + AFTER


def merged(instants: Iterable[datetime]) -> list[Interval]:
    """What is kept for marks at these instants: in order, and apart."""
    found: list[Interval] = []
    for start, end in map(around, sorted(instants)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
