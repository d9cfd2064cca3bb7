"""What is kept around a mark. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.models import intervals
from app.models.intervals import Interval

BEFORE = timedelta(seconds=60)
AFTER = timedelta(seconds=15)
"""What is kept around a mark: what one has just seen, and how it ends."""


def around(at: datetime) -> Interval:
    """What is kept for a mark at an instant."""
    return at - BEFORE, at + AFTER


def merged(instants: Iterable[datetime]) -> list[Interval]:
    """What is kept for marks at these instants: in order, and apart."""
    return intervals.joined(map(around, instants))
