"""Whether the media of a capture's window is there, and what of which session it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from app.access import presence
from app.context import Context
from app.models import CaptureRow, ClipNote, MediaRange, intervals
from app.models.schema import Capture, EgressSession, Segment
from app.viewing import stored_timelines, windows
from app.viewing.timeline import Timeline

PIN_LIFE = timedelta(hours=1)
"""How long after its media is due a capture may still find it: an outage of all workers."""
JOINED = timedelta(seconds=0.2)
"""What lies closer together than this has no segment between it."""


def ends_at(row: CaptureRow) -> datetime:
    """The end of what may be had of a capture's window."""
    return min(row["window_end"], row["permitted_until"] or row["window_end"])


async def as_it_is(ctx: Context, row: CaptureRow) -> CaptureRow:
    """The row with what others than its worker may have changed: until when it is permitted, and
    how it is cut then."""
    changed = {"permitted_until": 1, "cut": 1}
    found = await ctx.store.rows(Capture).find_one({"_id": row["_id"]}, changed)
    if found is None:
        return row
    return {**row, "permitted_until": found["permitted_until"], "cut": found["cut"]}


async def is_covered(ctx: Context, row: CaptureRow) -> bool:
    """Whether a segment reaches to the window's end: the quick question, asked several times a
    second."""
    reaching = {"buffer_id": row["buffer_id"], "end": {"$gte": ends_at(row)}}
    return await ctx.store.rows(Segment).find_one(reaching, {"_id": 1}) is not None


async def is_complete(ctx: Context, row: CaptureRow, now: datetime) -> bool:
    """Whether nothing of the window is still to come."""
    line = await stored_timelines.read(ctx.store, row["buffer_id"], now, ctx.settings)
    if line is None:
        return True
    others = {
        "buffer_id": row["buffer_id"],
        "indexing": {"$ne": None},
        "_id": {"$ne": line.recording_session["_id"] if line.recording_session else None},
    }
    ending = await ctx.store.rows(EgressSession).distinct("_id", others)
    return not any(_has_more(line, each, row) for each in ending) and _reaches(line, row, now)


def _reaches(line: Timeline, row: CaptureRow, now: datetime) -> bool:
    if line.newest is not None and line.newest >= ends_at(row):
        return True
    if line.recording_session is not None:
        return False
    # Between two sessions the next one may yet begin within a window that lies in the future.
    return line.ended_at is not None or now >= ends_at(row)


def _has_more(line: Timeline, session_id: str, row: CaptureRow) -> bool:
    """Whether a session that was taken over from still lacks segments before the take-over."""
    own = [number for number, span in enumerate(line.spans) if span.session_id == session_id]
    if not own:
        return False
    end = line.spans[own[-1]].end
    following = line.spans[own[-1] + 1 : own[-1] + 2]
    joined = bool(following) and following[0].start - end <= JOINED
    return not joined and end < ends_at(row)


async def ranges_to_make(ctx: Context, row: CaptureRow, now: datetime) -> list[MediaRange]:
    """The ranges of each session that the clip is made of.

    They are those that were there when the capture was accepted; if it waited, those that have come
    since, too, up to the end of its caller's permission. A caller who may have only what happened
    while they were in the room gets what lies within their stays.
    """
    if row["wait_until"] <= row["accepted_at"]:
        return list(row["spans"])
    line = await stored_timelines.read(ctx.store, row["buffer_id"], now, ctx.settings)
    if line is None:
        return merged(row["spans"], [])
    end = ends_at(row)
    pieces = [(row["window_start"], end)] if row["window_start"] < end else []
    witness = ClipNote.WHILE_PRESENT in row["notes"]
    if witness and pieces:
        stays = await presence.stays(ctx.store, row["caller"], [row["room_sid"]])
        there = intervals.joined(stay.interval for stay in stays)
        pieces = intervals.within(there, *pieces[0])
    is_cut = witness or row["permitted_until"] is not None
    return merged(row["spans"], windows.ranges_within(line, pieces), cut=is_cut)


def merged(
    frozen: Sequence[MediaRange], current: Sequence[MediaRange], *, cut: bool = False
) -> list[MediaRange]:
    """The ranges of the acceptance, and those of sessions that began after it.

    The former keep their media times, whatever became of the clock or of the buffer's beginning.
    Only where a later session has taken over they end; and where the window is `cut`, to stays or
    to what was permitted, there remains what lies in the current ranges, one for each stay.
    """
    known = {range_["session_id"] for range_ in frozen}
    later = [range_ for range_ in current if range_["session_id"] not in known]
    if cut:
        kept = [part for range_ in frozen for part in _parts(range_, current, range_ is frozen[-1])]
    else:
        ends = {range_["session_id"]: range_["end_ticks"] for range_ in current} if later else {}
        kept = [
            _until(range_, ends.get(range_["session_id"], range_["end_ticks"])) for range_ in frozen
        ]
    return [range_ for range_ in (*kept, *later) if range_["start_ticks"] < range_["end_ticks"]]


def _parts(
    range_: MediaRange, current: Sequence[MediaRange], is_open: bool
) -> Iterator[MediaRange]:
    """What of a range of the acceptance lies in the current ones; its beginning has been allowed.

    One that was over by then, and has left the buffer since, stays as it is.
    """
    own = [
        each
        for each in current
        if each["session_id"] == range_["session_id"]
        and each["start_ticks"] < range_["end_ticks"]
        and range_["start_ticks"] < each["end_ticks"]
    ]
    if not own and not is_open:
        yield range_
    for number, each in enumerate(own):
        begin = each["start_ticks"] if number else range_["start_ticks"]
        yield _until({**range_, "start_ticks": begin}, each["end_ticks"])


def _until(range_: MediaRange, end_ticks: int) -> MediaRange:
    return {**range_, "end_ticks": min(range_["end_ticks"], end_ticks)}
