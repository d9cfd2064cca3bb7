"""What the coming of segments tells of their session's clock: it may have been set since. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.buffer import clock

LATE = timedelta(seconds=60)
"""Media that comes so long after, or before, its time from its first on is of another clock."""
_IN_A_ROW = 3


class Arrivals:
    """When the newest segments of a session came, against the time that its clock gives them.

    Only what comes first counts, after its indexer began or its clock was altered: an egress that
    falls behind later is one that is slow.
    """

    def __init__(self, segment_seconds: int) -> None:
        self._usual = clock.PIPELINE + timedelta(seconds=segment_seconds)
        self._odd: list[timedelta] = []
        self._is_known = False

    def anew(self) -> None:
        """The session's clock is another one."""
        self._odd, self._is_known = [], False

    def note(self, end: datetime, came_at: datetime) -> timedelta:
        """A segment that ended at `end`, by its session's clock, came just now.

        Returns how far that clock is behind ours, negative if ahead; zero while it seems right.
        """
        late = came_at - end - self._usual
        if self._is_known or abs(late) <= LATE:
            self._is_known = True
            return timedelta(0)
        self._odd.append(late)
        if len(self._odd) < _IN_A_ROW:
            return timedelta(0)
        odd, self._odd = self._odd, []
        return min(odd)
