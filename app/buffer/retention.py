"""What may be deleted: decided from rows, pins and the time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.buffer.coverage import CoverageRun
from app.models import BufferRow, SegmentRow, SessionRow
from app.models.intervals import Interval

_LEAD_TICKS = 9_000
"""Sound runs up to 23 ms behind the picture it was cut with: the sound of a pin's first instant
may lie in the segment before."""

Pinned = Mapping[str, Sequence[tuple[int, int | None]]]
"""By session id: pinned stretches [start_ticks, end_ticks) of its media, None: open."""


def covers(pins: Pinned, session_id: str, start_ticks: int, end_ticks: int) -> bool:
    """Whether a pin covers a part of a session's media, or the sound just after it."""
    return any(
        start - _LEAD_TICKS < end_ticks and (end is None or start_ticks < end)
        for start, end in pins.get(session_id, ())
    )


def may_go(
    rows: Iterable[SegmentRow],
    pins: Pinned,
    newest_of_live: Mapping[str, int],
) -> list[SegmentRow]:
    """Those of these segments that may be deleted: not pinned ones.

    `newest_of_live`: by id the highest sequence of each session that is still recorded. That
    segment never goes.
    """
    return [
        row
        for row in rows
        if row["sequence"] != newest_of_live.get(row["session_id"])
        and not covers(pins, row["session_id"], row["start_ticks"], row["end_ticks"])
    ]


def is_too_much(unmatched: int, matched: int) -> bool:
    """Whether a repair would take more than half of everything there is.

    Then the index, or the disk, is likelier not the right one.
    """
    return unmatched > matched


def erased_until(buffer: BufferRow, sessions: Sequence[SessionRow]) -> datetime | None:
    """The end of what is hidden, while media from before an instant is being deleted; else None.

    The segment that was open at that instant holds some of that media, and goes too.
    """
    if buffer["forget_before"] is None:
        return None
    longest = max((row["segment_seconds"] for row in sessions), default=0)
    return buffer["forget_before"] + timedelta(seconds=longest)


def is_erased(segment: Interval, buffer: BufferRow) -> bool:
    """Whether a segment, [start, end), holds any of what is to go of its share: then all of it
    goes."""
    (start, end), before = segment, buffer["forget_before"]
    ranges = buffer["forget_ranges"]
    return (before is not None and start < before) or any(
        start < each["end"] and each["start"] < end for each in ranges
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a buffer holds of one session, for the governor; `clock_ns` orders the sessions."""

    session_id: str
    clock_ns: int
    runs: tuple[CoverageRun, ...]

    @property
    def ticks(self) -> int:
        return sum(run.end_ticks - run.start_ticks for run in self.runs)


@dataclass(frozen=True, slots=True)
class RetentionCut:
    """A session's media up to `before_ticks` is to go."""

    session_id: str
    before_ticks: int


def fullness(parts: Iterable[Held]) -> int:
    """How much a buffer holds, in ticks."""
    return sum(part.ticks for part in parts)


def shrink(buffers: Mapping[str, Sequence[Held]], level: int) -> list[RetentionCut]:
    """Cuts after which no buffer holds more than `level` ticks of media.

    The fullest buffers lose most, oldest media first. A buffer below the level loses nothing.
    """
    cuts: list[RetentionCut] = []
    for parts in buffers.values():
        excess = fullness(parts) - level
        for part in sorted(parts, key=lambda part: part.clock_ns):
            before = _cut(part, excess)
            if before is not None:
                cuts.append(RetentionCut(part.session_id, before))
            excess -= part.ticks
    return cuts


def _cut(part: Held, excess: int) -> int | None:
    """The media time up to which `excess` ticks lie in a session; None if there is no excess."""
    if excess <= 0:
        return None
    for run in part.runs:
        length = run.end_ticks - run.start_ticks
        if excess <= length:
            return run.start_ticks + excess
        excess -= length
    return part.runs[-1].end_ticks if part.runs else None
