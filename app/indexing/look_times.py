"""When a playlist is looked at again, of which nothing tells that it has changed. Pure."""

from __future__ import annotations

import math

PACE_SECONDS = 0.5
"""Between two looks while the next segment is due: so much later than a file event it is seen."""


class LookTimes:
    """The looks at one playlist, by a clock in seconds.

    A change that a look finds was made after the look before it, and the next one is made a
    segment's length after that: before then nothing can be seen.
    """

    def __init__(self) -> None:
        self._last_at = self._unchanged_at = -math.inf
        self._found: object = None

    def note(self, at: float, found: object) -> None:
        """A look that began then has found this content, by its stamp."""
        if found != self._found:
            self._unchanged_at = self._last_at
        self._last_at, self._found = at, found

    def next_at(self, segment_seconds: int) -> float:
        """When to look again."""
        return max(self._last_at + PACE_SECONDS, self._unchanged_at + segment_seconds)
