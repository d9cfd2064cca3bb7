"""Windows: what part of a buffer a caller means, frozen as stretches of its sessions' media."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.buffer import clock, erased_segments
from app.errors import BufferEmpty, Gone, Invalid, WindowTooLong
from app.models import (
    BufferState,
    ClipNote,
    ClockKind,
    MediaRange,
    SegmentRow,
    SegmentState,
    Tail,
    instants,
    intervals,
)
from app.models.input_types import POST_ROLL_SECONDS
from app.models.intervals import Interval
from app.models.schema import EgressSession, Segment
from app.settings import Settings
from app.store import Store
from app.viewing import witness_view
from app.viewing.timeline import Timeline, offered_from

PATIENCE_SECONDS = 10
"""For media that is still to come, beyond three segments. Twice a segment and 1.3 s is usual."""
START_PATIENCE_SECONDS = 30
"""The same of a share that begins, or goes on in another egress: it has one to start first."""
_RETRY_SECONDS = 5
_USABLE = frozenset({SegmentState.INDEXED, SegmentState.CONDEMNED})
# A segment may be this much longer than asked (a hole within), and clocks are corrected by less.
_SLACK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Window:
    """The window that was requested, and what of it can be had.

    `ranges`: one per session and stay, in order of time. The last one reaches to `end`, even if
    that media is not there yet. A session without a clock has none: see `ranges_between`. `notes`
    say how `start` and `end` differ from what was requested. `stays`: the stretches of it that may
    be had, None: all of it. `wait_until`: when to stop waiting for media that is still to come; the
    moment of the call if none is.
    """

    requested_start: datetime
    requested_end: datetime
    start: datetime
    end: datetime
    ranges: tuple[MediaRange, ...]
    notes: tuple[ClipNote, ...]
    stays: tuple[Interval, ...] | None
    wait_until: datetime


def resolve(
    timeline: Timeline,
    now: datetime,
    settings: Settings,
    *,
    last: float | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    post_roll: float = 0.0,
    tail: Tail = Tail.INCLUDE,
    stays: Sequence[Interval] | None = None,
) -> Window:
    """The window of `last` seconds, or from `start` to `end`, as of the moment `now`.

    `include` reaches to the moment of the call, by the clock of the media, or to `end`, plus
    `post_roll` seconds, and waits for that media. `skip` takes what is there. `last` counts back
    from the newest media if nothing records any more. A caller who may have only what happened
    during their `stays` (in order and apart) gets the parts of it that lie in these.

    Raises NotPermitted if no part does, WindowTooLong, Invalid for what can't be a window of this
    buffer, and BufferEmpty (with `retry_after` in seconds if trying again may help).
    """
    limit = settings.max_capture.total_seconds()
    if not 0 <= post_roll <= POST_ROLL_SECONDS:
        raise Invalid(f"post_roll={post_roll:g} must be 0 to {POST_ROLL_SECONDS:g} seconds")
    if post_roll and tail == Tail.SKIP:
        raise Invalid("post_roll asks for media that is still to come; tail=skip refuses to wait")
    if last is not None and (start is not None or end is not None):
        raise Invalid("give either last, or start and end, not both")
    notes: list[ClipNote] = []
    if last is not None:
        refuse_length(last, post_roll, limit)
        refuse_empty(timeline, now, tail)
        anchor = timeline.present(now)
        if timeline.newest is not None and (
            tail == Tail.SKIP or timeline.recording_session is None
        ):
            anchor = timeline.newest
            notes += [] if timeline.recording_session else [ClipNote.SHARE_ENDED]
        start, end = anchor - timedelta(seconds=last), anchor
    elif start is None or end is None:
        raise Invalid("say which part: last, or both start and end")
    else:
        _refuse_times(start, end, max(timeline.present(now), timeline.newest or now))
        refuse_length((end - start).total_seconds(), post_roll, limit)
        refuse_empty(timeline, now, tail)
    asked = (start, end + timedelta(seconds=post_roll))
    return _clamped(timeline, now, settings, asked, tail, notes, stays)


def refuse_gone(timeline: Timeline, start: datetime, end: datetime, oldest: datetime) -> None:
    """Raises Gone if all of [start, end) was recorded, but is not offered any more.

    `oldest` is the first moment that is offered. Marked stretches before it are offered, too.
    """
    marked = any(span.start < end and start < span.end for span in timeline.spans)
    if start < end <= oldest and end > timeline.since and not marked:
        raise Gone(f"the buffer begins at {_shown(oldest)}, after the window's end")


def ranges_within(timeline: Timeline, pieces: Sequence[Interval]) -> tuple[MediaRange, ...]:
    """What of each session lies in each of these pieces of time, which are in order and apart."""
    return tuple(each for piece in pieces for each in ranges_between(timeline, *piece))


def ranges_between(timeline: Timeline, start: datetime, end: datetime) -> tuple[MediaRange, ...]:
    """What of each session lies in [start, end), in order of time.

    The session that records reaches to `end` even where its media does not yet.
    """
    stretches: dict[str, MediaRange] = {}
    for span in timeline.spans:
        if span.start >= end or span.end <= start:
            continue
        first = span.start_ticks + max(0, clock.ticks(start - span.start))
        until = span.end_ticks - max(0, clock.ticks(span.end - end))
        stretch = stretches.setdefault(span.session_id, _stretch(span.session_id, first, until))
        stretch["end_ticks"] = until
    recording = timeline.recording_session
    if recording is not None and recording["clock_ns"] is not None:
        first = clock.ticks_at(recording["clock_ns"], max(start, timeline.newest or start))
        until = clock.ticks_at(recording["clock_ns"], end)
        if until > max(first, 0):
            new = _stretch(recording["_id"], max(first, 0), until)
            stretches.setdefault(recording["_id"], new)["end_ticks"] = until
    return tuple(stretches.values())


async def segments(
    store: Store, ranges: Sequence[MediaRange], *, lead: bool = False
) -> list[list[SegmentRow]]:
    """For each range the rows of its segments in order, also of those that lie in it partly.

    Quarantined ones are left out, and what a sharer has had deleted. A condemned one may lose its
    file any moment unless a pin was there before (see `pins`). `lead`: with the segment before the
    first one, if it is there. The first instant's sound may lie in it.
    """
    found = [await _indexed(store, range_) for range_ in ranges]
    kept = await erased_segments.left_of(store, [row for rows in found for row in rows])
    ids = {row["_id"] for row in kept}
    left = [[row for row in rows if row["_id"] in ids] for rows in found]
    return [_within(range_, rows, lead) for range_, rows in zip(ranges, left, strict=True)]


async def _indexed(store: Store, range_: MediaRange) -> list[SegmentRow]:
    """The usable segments of a range's session about where it lies, in order."""
    session = await store.rows(EgressSession).find_one({"_id": range_["session_id"]})
    if session is None or session["clock_ns"] is None:
        return []
    start = clock.wall(session["clock_ns"], range_["start_ticks"])
    end = clock.wall(session["clock_ns"], range_["end_ticks"])
    query = {
        "buffer_id": session["buffer_id"],
        "end": {"$gt": start - _SLACK, "$lt": end + _SLACK},
    }
    found = await store.rows(Segment).find(query).to_list(None)
    return sorted(
        (row for row in found if row["session_id"] == session["_id"] and row["state"] in _USABLE),
        key=lambda row: row["start_ticks"],
    )


def _within(range_: MediaRange, rows: list[SegmentRow], lead: bool) -> list[SegmentRow]:
    """Those that lie in a range, also partly; `lead`: with the one before the first."""
    inside = [
        place
        for place, row in enumerate(rows)
        if row["start_ticks"] < range_["end_ticks"] and range_["start_ticks"] < row["end_ticks"]
    ]
    if not inside:
        return []
    return rows[max(inside[0] - lead, 0) : inside[-1] + 1]


def _clamped(
    timeline: Timeline,
    now: datetime,
    settings: Settings,
    asked: Interval,
    tail: Tail,
    notes: list[ClipNote],
    stays: Sequence[Interval] | None,
) -> Window:
    start, end = asked
    oldest, newest, recording = timeline.oldest, timeline.newest, timeline.recording_session
    waits = recording is not None and tail == Tail.INCLUDE and (newest is None or end > newest)
    begin = start
    if oldest is None or start < oldest:
        # Marked stretches lie before it, with nothing between them.
        begins = (span.start for span in timeline.spans if span.end > start)
        begin = max(start, next(begins, offered_from(now, settings)))
    finish = end if waits or newest is None else min(end, newest)
    pieces = [(begin, finish)] if begin < finish else []
    if stays is not None and pieces and not (pieces := intervals.within(stays, begin, finish)):
        raise witness_view.refusal(begin, finish)
    ranges = ranges_within(timeline, pieces)
    if not ranges and not (waits and pieces):
        raise Invalid(
            f"nothing was recorded from {_shown(start)} to {_shown(end)}; the buffer holds "
            f"{_shown(oldest)} to {_shown(newest)}, perhaps with gaps",
            oldest=_shown(oldest),
            newest=_shown(newest),
        )
    notes += [ClipNote.START_CLAMPED] * (begin > start) + [ClipNote.END_CLAMPED] * (finish < end)
    notes += [ClipNote.CLOCK_APPROXIMATE] * (timeline.clock != ClockKind.EXACT)
    if stays is not None:
        begin, finish = pieces[0][0], pieces[-1][1]
        notes.append(ClipNote.WHILE_PRESENT)
        waits = waits and (newest is None or finish > newest)
    wait_until = now
    if waits and recording is not None:
        has_begun = any(span.session_id == recording["_id"] for span in timeline.spans)
        patience = PATIENCE_SECONDS if has_begun else START_PATIENCE_SECONDS
        patience += 3 * recording["segment_seconds"]
        wait_until = max(now, finish) + timedelta(seconds=patience)
    allowed = None if stays is None else tuple(pieces)
    return Window(start, end, begin, finish, ranges, tuple(notes), allowed, wait_until)


def _refuse_times(start: datetime, end: datetime, now: datetime) -> None:
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("start and end must carry their offset from UTC")
    if end <= start:
        raise Invalid(f"end={_shown(end)} must be later than start={_shown(start)}")
    if end > now:
        raise Invalid(
            f"end={_shown(end)} lies in the future; it is {_shown(now)}: end now, and give "
            f"post_roll (at most {POST_ROLL_SECONDS:g} s) for what comes after"
        )


def refuse_length(seconds: float, post_roll: float, limit: float) -> None:
    """Raises WindowTooLong, or Invalid, for a length that no window of `limit` seconds has."""
    if not seconds > 0:
        raise Invalid(f"last={seconds:g} must be a number of seconds above 0")
    if seconds + post_roll > limit:
        raise WindowTooLong(
            f"{seconds + post_roll:g} s are asked for; at most {limit:g} s can be captured",
            max_seconds=limit,
        )


def refuse_empty(timeline: Timeline, now: datetime, tail: Tail) -> None:
    """Raises BufferEmpty if no window of a share has anything in it."""
    recording = timeline.recording_session
    if timeline.spans or (recording is not None and tail == Tail.INCLUDE):
        return
    reason = f" ({timeline.why})" if timeline.why else ""
    if timeline.state == BufferState.ENDED:
        raise BufferEmpty("the share is over, and nothing of it is kept any more")
    seconds = (timeline.retry_at - now).total_seconds() if timeline.retry_at else 0.0
    raise BufferEmpty(
        f"nothing is recorded yet; the share is {timeline.state}{reason}",
        retry_after=max(_RETRY_SECONDS, round(seconds)),
    )


def _stretch(session_id: str, start_ticks: int, end_ticks: int) -> MediaRange:
    return {"session_id": session_id, "start_ticks": start_ticks, "end_ticks": end_ticks}


def _shown(instant: datetime | None) -> str | None:
    return instants.written(instant) if instant else None
