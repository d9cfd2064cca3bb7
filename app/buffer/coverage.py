"""What of a session is indexed, as a few runs instead of hundreds of rows. Pure.

A run is a stretch of consecutive segments without a hole, or of consecutive ones that can't be
used for the same reason. An hour of media without trouble is one run.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from app.models import FaultSlug, LostRange, RunDocument, SegmentRow

HOLE_FRAMES = 1.5
"""What lies further apart than this many frame durations is a hole."""
RUNS = 2_000
"""Of a session at most: more holes than in two hours of which every second segment is lost."""


@dataclass(frozen=True, slots=True)
class CoverageRun:
    """Segments `first` to `last` (sequences), [`start_ticks`, `end_ticks`) of media time.

    `frame_ticks` is the usual distance of two frames. `fault` is the reason why a run can't be
    used, None if it can.
    """

    first: int
    last: int
    start_ticks: int
    end_ticks: int
    audio: bool
    width: int
    height: int
    frame_ticks: int
    fault: FaultSlug | None = None

    def document(self) -> RunDocument:
        """The run for a database field."""
        return {
            "first": self.first,
            "last": self.last,
            "start_ticks": self.start_ticks,
            "end_ticks": self.end_ticks,
            "audio": self.audio,
            "width": self.width,
            "height": self.height,
            "frame_ticks": self.frame_ticks,
            "fault": self.fault,
        }

    def joins(self, later: CoverageRun) -> bool:
        """Whether `later` goes on where this one ends, in the same way."""
        if self.last + 1 != later.first or self.fault != later.fault:
            return False
        if self.fault is not None:
            return True
        alike = (self.audio, self.width, self.height) == (later.audio, later.width, later.height)
        frame_ticks = max(self.frame_ticks, later.frame_ticks)
        return alike and later.start_ticks - self.end_ticks <= HOLE_FRAMES * frame_ticks


def run_of(row: SegmentRow) -> CoverageRun:
    """The run of one segment's row (`samples` is not looked at)."""
    ticks = row["end_ticks"] - row["start_ticks"]
    return CoverageRun(
        row["sequence"],
        row["sequence"],
        row["start_ticks"],
        row["end_ticks"],
        row["audio"],
        row["width"],
        row["height"],
        round(ticks / row["frames"]) if row["frames"] else 0,
        row["fault"],
    )


class Coverage:
    """The runs of one session, in order of their sequences."""

    def __init__(self, runs: Iterable[CoverageRun] = ()) -> None:
        self.runs: list[CoverageRun] = []
        for run in runs:
            self.add(run)

    def add(self, run: CoverageRun) -> None:
        """Adds segments. Those that are covered already stay as they are."""
        if run.first in self:
            return
        place = bisect_left(self.runs, run.first, key=lambda other: other.first)
        self.runs.insert(place, run)
        for left in (place, place - 1):
            if 0 <= left < len(self.runs) - 1 and self.runs[left].joins(self.runs[left + 1]):
                self.runs[left : left + 2] = [_joined(self.runs[left], self.runs[left + 1])]

    @property
    def last(self) -> int:
        """The highest sequence, -1 if there is none."""
        return self.runs[-1].last if self.runs else -1

    @property
    def end_ticks(self) -> int:
        """Where the media ends; 0 if there is none."""
        return self.runs[-1].end_ticks if self.runs else 0

    @property
    def usable_ticks(self) -> int:
        """Where that of it ends whose times are its own, not those of a playlist."""
        return usable_ticks(self.runs)

    def __contains__(self, sequence: int) -> bool:
        place = bisect_right(self.runs, sequence, key=lambda run: run.first) - 1
        return place >= 0 and sequence <= self.runs[place].last

    def lacks(self, first: int, end: int) -> bool:
        """Whether a sequence of `first` up to, not including, `end` is not covered."""
        place = bisect_left(self.runs, first, key=lambda run: run.last)
        for run in islice(self.runs, place, None):
            if run.first > first:
                break
            first = run.last + 1
        return first < end

    def trim(self, before_ticks: int) -> int:
        """Forgets runs that ended before a media time, and the first ones of more than RUNS.

        The last one stays. Returns the first sequence that is left, 0 if there is none.
        """
        del self.runs[:-RUNS]
        while len(self.runs) > 1 and self.runs[0].end_ticks < before_ticks:
            del self.runs[0]
        return self.runs[0].first if self.runs else 0

    def documents(self) -> list[RunDocument]:
        """The runs for a database field; `read` takes them back."""
        return [run.document() for run in self.runs]

    @classmethod
    def read(cls, documents: Iterable[RunDocument]) -> Coverage:
        return cls(CoverageRun(**document) for document in documents)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A session's runs in order, and when the newest row was written (None: there is none)."""

    runs: tuple[CoverageRun, ...] = ()
    newest_at: datetime | None = None


def usable_ticks(runs: Iterable[CoverageRun]) -> int:
    """Where the media ends whose times are its own: of segments that can be used, or could be until
    they were deleted. 0 if there is none."""
    told = (run.end_ticks for run in runs if run.fault in (None, FaultSlug.DELETED))
    return max(told, default=0)


def without(runs: Iterable[CoverageRun], start_ticks: int, end_ticks: int) -> list[CoverageRun]:
    """The runs outside of a stretch of media time. A run that lies across it becomes two."""
    outside: list[CoverageRun] = []
    for run in runs:
        if run.start_ticks < start_ticks:
            outside.append(replace(run, end_ticks=min(run.end_ticks, start_ticks)))
        if run.end_ticks > end_ticks:
            outside.append(replace(run, start_ticks=max(run.start_ticks, end_ticks)))
    return outside


def without_lost(runs: list[CoverageRun], lost: LostRange) -> list[CoverageRun]:
    """The runs with a stretch of them turned into one that can't be used."""
    start, end = lost["start_ticks"], lost["end_ticks"]
    within = [run for run in runs if run.start_ticks < end and start < run.end_ticks]
    if not within:
        return runs
    alike = [run for run in within if run.fault == lost["fault"]]
    start = min([start, *(run.start_ticks for run in alike)])
    end = max([end, *(run.end_ticks for run in alike)])
    gone = CoverageRun(-1, -1, start, end, False, 0, 0, 0, lost["fault"])
    return sorted([*without(runs, start, end), gone], key=lambda run: run.start_ticks)


def _joined(left: CoverageRun, right: CoverageRun) -> CoverageRun:
    frame_ticks = max(left.frame_ticks, right.frame_ticks)
    return replace(left, last=right.last, end_ticks=right.end_ticks, frame_ticks=frame_ticks)
