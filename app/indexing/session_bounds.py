"""What times and how many segments a session can hold at all. Pure.

Playlists and media are written by egress, which may be in the hands of whoever it records. A number
in them would decide how much silence is made, how far a timeline reaches, how many rows there are,
and when a row may go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.buffer import clock
from app.indexing.playlist import Entry
from app.media.faults import Fault, Unpreparable
from app.models import FaultSlug

MARGIN_SECONDS = 60.0
"""What a segment may be longer than asked for, because a hole in the picture lies within one: of
1.2 to 2.1 s after a mute, as long as its pause where the whole machine paused."""
MORE_SEGMENTS = 100
"""A session may have so many more than are asked for, and twice as many: cuts at a mute, for
instance, make short ones."""


@dataclass(frozen=True, slots=True)
class SessionBounds:
    """Of a session that began at `began` and whose segments were asked to be so long."""

    segment_seconds: int
    began: datetime

    @property
    def longest_seconds(self) -> float:
        """The most that a segment can be long."""
        return self.segment_seconds + MARGIN_SECONDS

    def latest_ticks(self, now: datetime, reached: int = 0, since_seconds: float = 0.0) -> int:
        """Where the session's media can have got to by now, in media time.

        `reached`: where it had got to so many seconds ago. It goes on if our clock was set back
        since the session began.
        """
        by_us = clock.ticks(now - self.began + clock.SKEW)
        by_itself = reached + round((since_seconds + MARGIN_SECONDS) * clock.TICKS_PER_SECOND)
        return max(by_us, by_itself)

    def last_sequence(self, now: datetime, known: int = -1, since_seconds: float = 0.0) -> int:
        """The highest number that a segment of the session can have by now.

        `known`: what it was so many seconds ago. It goes on if our clock was set back since.
        """
        age_seconds = (now - self.began).total_seconds()
        return max(self._most_within(age_seconds), known + self._most_within(since_seconds))

    def _most_within(self, seconds: float) -> int:
        return MORE_SEGMENTS + int(2 * max(0.0, seconds) / self.segment_seconds)

    def check(self, entry: Entry) -> None:
        """Raises Unpreparable if a segment can't be as long as its playlist says."""
        if entry.seconds > self.longest_seconds:
            detail = (
                f"EXTINF is {entry.seconds:.3f} s; segments of {self.segment_seconds} s"
                f" are at most {self.longest_seconds:.0f} s long"
            )
            raise Unpreparable(entry.name, [Fault(FaultSlug.TIMESTAMPS, detail)])

    def gap(self, entry: Entry, start_ticks: int, latest_ticks: int) -> tuple[int, int]:
        """The media time that a segment which can't be used leaves out: where it can be at all."""
        start = min(max(0, start_ticks), latest_ticks)
        seconds = min(entry.seconds, self.longest_seconds)
        return start, start + round(seconds * clock.TICKS_PER_SECOND)
