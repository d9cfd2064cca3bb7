"""Where a session's playlist has its segments, in media time: a witness of what their files say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.buffer import clock
from app.indexing.playlist import Entry
from app.media.continuity import Continuity


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a session before a segment of it is made.

    `previous`: as for `app.media.fragment.prepare_bytes`. `end_ticks`: where its media ended.
    `adjoins`: whether the segment begins there, as far as is known.
    """

    previous: Continuity | None
    end_ticks: int
    adjoins: bool


class PlaylistTimes:
    """Media times by EXT-X-PROGRAM-DATE-TIME, counted from the last segment that was usable."""

    def __init__(self) -> None:
        self._anchor: tuple[datetime, int] | None = None

    def note(self, entry: Entry, ticks: int) -> None:
        """A segment that was usable begins at `ticks`."""
        if entry.start is not None:
            self._anchor = (entry.start, ticks)

    def expected(self, entry: Entry, before: Before) -> int | None:
        """Where a segment begins; None if the playlist does not tell."""
        if self._anchor is None or entry.start is None:
            return before.end_ticks if before.adjoins else None
        start, ticks = self._anchor
        return ticks + clock.ticks(entry.start - start)
