"""What of a share is left while a part of it is being deleted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.buffer import clock
from app.buffer.coverage import Indexed, without_lost
from app.models import ErasedRange, FaultSlug, LostRange, SessionRow


def without_erased(
    sessions: Sequence[SessionRow],
    indexed: Mapping[str, Indexed],
    ranges: Sequence[ErasedRange],
) -> Mapping[str, Indexed]:
    """What is indexed of the sessions, with these ranges turned into gaps.

    The segment that was open at the end of one holds some of it, and goes too.
    """
    if not ranges:
        return indexed
    left = dict(indexed)
    for session in sessions:
        known = left.get(session["_id"])
        if known is None or not known.runs or session["clock_ns"] is None:
            continue
        runs = list(known.runs)
        last = runs[-1].end_ticks
        for part in ranges:
            start = clock.ticks_at(session["clock_ns"], part["start"])
            end = clock.ticks_at(session["clock_ns"], part["end"])
            end += session["segment_seconds"] * clock.TICKS_PER_SECOND
            lost: LostRange = {
                "start_ticks": max(start, runs[0].start_ticks),
                "end_ticks": min(end, last),
                "fault": FaultSlug.DELETED,
            }
            if lost["start_ticks"] < lost["end_ticks"]:
                runs = without_lost(runs, lost)
        left[session["_id"]] = replace(known, runs=tuple(runs))
    return left
