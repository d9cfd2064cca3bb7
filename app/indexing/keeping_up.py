"""Whether an egress keeps up with its share, by when its segments came. Pure.

What is recorded as it happens comes as fast as time goes by: between two segments as much of it
passes as the later one has media. Where more passes, segment after segment, media is later and
later. Only our own steady clock counts, and a segment has come no sooner than when it was last seen
not to be there: of a reader that was away, or busy, egress does not look later than it is.

A single segment that is later than a look does not count, but two in a row: in a pause nobody may
have sent anything, and it may be missing in the times of the media. What is late by less is seen
late by a whole look, now and then, and counts: an egress that is slow by 5 % is seen so.
"""

from __future__ import annotations

from app.buffer.clock import TICKS_PER_SECOND

LATE_SECONDS = 6.0
"""By how much more than the least that was seen media is too late. Black pictures, for a share that
sends none, are 2 s late."""
SURE_SECONDS = 15.0
"""For so long media must be too late."""
LOOK_SECONDS = 0.5
"""Between two looks of a reader: by so much later than it came a segment may be seen."""
_DRIFT = 0.01
"""By so much of it the sender's clock, and egress's, may be slower than ours."""
_OF_ONE_SECONDS = LATE_SECONDS / 3
"""What one segment may add."""


class KeepingUp:
    """The segments of one egress, in order. `is_behind`: it can't keep up."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forgets what was seen: it could not be read in time, or there is nothing to measure."""
        self.is_behind = False
        self.late_seconds = 0.0
        self._absent_at: float | None = None
        self._began_at: float | None = None
        self._last: tuple[float, int] | None = None
        self._later_before = 0.0
        self._late_since: float | None = None
        self._may_be_ours = False

    @property
    def keeps_up(self) -> bool:
        """Whether enough was seen to say that it can. Neither this nor `is_behind`: not yet."""
        if self._last is None or self._began_at is None:
            return False
        is_sure = self._last[0] - self._began_at >= SURE_SECONDS
        return is_sure and not self.is_behind and self.late_seconds <= LATE_SECONDS / 2

    def slow(self) -> None:
        """We were slow ourselves, or our disk: that the next segment is late may come of that."""
        self._may_be_ours = True

    def absent(self, at: float) -> None:
        """At this instant the next segment was not there."""
        if self._absent_at is None or at > self._absent_at:
            self._absent_at = at

    def came(self, end_ticks: int) -> None:
        """The next segment is there; its media ends at this time of the session's."""
        if (at := self._absent_at) is None:
            return
        if self._last is None:
            self._began_at = at
        else:
            media_seconds = (end_ticks - self._last[1]) / TICKS_PER_SECOND
            later_seconds = at - self._last[0] - media_seconds * (1 + _DRIFT)
            if self._may_be_ours:
                later_seconds = min(0.0, later_seconds)
            of_looks = later_seconds if later_seconds <= LOOK_SECONDS else 0.0
            grown = min(later_seconds, max(of_looks, self._later_before, 0.0), _OF_ONE_SECONDS)
            self.late_seconds = max(0.0, self.late_seconds + grown)
            self._later_before = later_seconds
        self._last, self._may_be_ours = (at, end_ticks), False
        if self.late_seconds < LATE_SECONDS:
            self._late_since = None
            self.is_behind = self.is_behind and self.late_seconds > LATE_SECONDS / 2
        elif self._late_since is None:
            self._late_since = at
        elif at - self._late_since >= SURE_SECONDS:
            self.is_behind = True
