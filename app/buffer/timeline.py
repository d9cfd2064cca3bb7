"""A buffer's timeline: its spans and gaps in wall-clock time, its state, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.buffer import clock, summary
from app.buffer.coverage import HOLE_FRAMES, Run
from app.buffer.kept import forgotten_until, retention
from app.buffer.summary import Indexed
from app.models import Buffer, EgressSession
from app.settings import Settings
from app.store import Row, Store

# What `Buffer.why` says while a recording is still tried for; any other reason refuses the share.
TRYING = frozenset({"no-worker", "egress-failed", "starting"})
_FAILED = frozenset({"EGRESS_FAILED", "EGRESS_ABORTED", "EGRESS_LIMIT_REACHED"})
_AT_ONCE = 200
_FRAME_TICKS = 6_000  # 15 frames a second, where a run does not tell


@dataclass(frozen=True, slots=True)
class Span:
    """Media without a hole: [start, end) on the wall clock, and as ticks of its session."""

    start: datetime
    end: datetime
    session_id: str
    start_ticks: int
    end_ticks: int
    audio: bool
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A time within the buffer of which nothing can be shown.

    `why`: a fault slug of `app.media.faults`, `missing` (the file is gone), `lost` (never
    committed), `egress-failed` or `egress-ended` (nothing recorded).
    """

    start: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a buffer offers now: at most the last MAX_CAPTURE_MINUTES.

    `state`: waiting, starting, recording, lagging, stalled, ended or refused. `seconds` is the
    sum of the spans. `session_ids`: those that media is offered of, and the one that records.
    `recording_session` is the row of the session whose media goes on or may still come, None
    when nothing more will come. `clock` is `exact` or `approximate`.
    """

    buffer_id: str
    room: str
    room_sid: str
    identity: str
    community: str
    since: datetime
    ended_at: datetime | None
    state: str
    why: str | None
    why_detail: str
    retry_at: datetime | None
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    session_ids: tuple[str, ...]
    clock: str
    recording_session: Row | None = field(repr=False)

    @property
    def oldest(self) -> datetime | None:
        return self.spans[0].start if self.spans else None

    @property
    def newest(self) -> datetime | None:
        return self.spans[-1].end if self.spans else None

    @property
    def seconds(self) -> float:
        return sum(((span.end - span.start).total_seconds() for span in self.spans), 0.0)

    @property
    def audio(self) -> bool:
        return any(span.audio for span in self.spans)


def offered_from(now: datetime, settings: Settings, retention: timedelta | None = None) -> datetime:
    """The oldest instant that is offered: retention keeps a little more, for slow captures."""
    return now - min(settings.max_capture, retention or settings.retention)


async def read(store: Store, buffer_id: str, now: datetime, settings: Settings) -> Timeline | None:
    """The timeline of one buffer; None if there is no such buffer."""
    found = await listing(store, {"_id": buffer_id}, now, settings, limit=1)
    return found[0] if found else None


async def listing(
    store: Store,
    query: dict[str, object],
    now: datetime,
    settings: Settings,
    *,
    limit: int = _AT_ONCE,
) -> list[Timeline]:
    """The timelines of the buffers that `query` (on rows of Buffer) matches, newest share first.

    Costs four reads, and a small one per session that is being indexed.
    """
    rows = await store.rows(Buffer).find(query).sort("since", -1).to_list(limit)
    ids = [row["_id"] for row in rows]
    wanted = {"buffer_id": ids[0] if len(ids) == 1 else {"$in": ids}}
    sessions = await store.rows(EgressSession).find(wanted).to_list(None) if ids else []
    indexed = await summary.read(store, sessions)
    by_buffer: dict[str, list[Row]] = {each: [] for each in ids}
    for session in sessions:
        by_buffer[session["buffer_id"]].append(session)
    kept = await retention(store, settings, [row["community"] for row in rows])
    return [
        build(
            row,
            by_buffer[row["_id"]],
            indexed,
            now,
            offered_from(now, settings, kept.of(row["community"])),
        )
        for row in rows
    ]


def build(
    buffer: Row,
    sessions: Sequence[Row],
    indexed: Mapping[str, Indexed],
    now: datetime,
    offered: datetime,
) -> Timeline:
    """The timeline of a buffer's row, the rows of its sessions and what is indexed of them.

    Media before `offered` is left out.
    """
    offered = max(offered, forgotten_until(buffer, sessions) or offered)
    spans, gaps = _laid_out(_stretches(sessions, indexed, offered))
    recording = _recording(sessions)
    state, why = _state(buffer, recording, spans, indexed, now)
    shown = {span.session_id for span in spans} | ({recording["_id"]} if recording else set())
    used = [row for row in sessions if row["_id"] in shown]
    exact = all(row["clock_exact"] for row in used if row["clock_ns"] is not None)
    return Timeline(
        buffer_id=buffer["_id"],
        room=buffer["room"],
        room_sid=buffer["room_sid"],
        identity=buffer["identity"],
        community=buffer["community"],
        since=buffer["since"],
        ended_at=buffer["ended_at"],
        state=state,
        why=why,
        why_detail=buffer["why_detail"] if why and why == buffer["why"] else "",
        retry_at=buffer["retry_at"],
        spans=tuple(spans),
        gaps=tuple(gaps),
        session_ids=tuple(row["_id"] for row in used),
        clock="exact" if exact else "approximate",
        recording_session=recording,
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run on the wall clock."""

    start: datetime
    end: datetime
    run: Run
    session: Row


def _stretches(
    sessions: Sequence[Row], indexed: Mapping[str, Indexed], offered: datetime
) -> list[_Stretch]:
    """All runs in order of time, clipped so that none overlap and none is before `offered`."""
    by_session = [
        [
            _Stretch(wall(row, run.start_ticks), wall(row, run.end_ticks), run, row)
            for run in indexed[row["_id"]].runs
        ]
        for row in sessions
        if row["clock_ns"] is not None and row["_id"] in indexed and indexed[row["_id"]].runs
    ]
    by_session.sort(key=lambda stretches: stretches[0].start)
    kept: list[_Stretch] = []
    until: datetime | None = None
    for stretches in reversed(by_session):
        for stretch in reversed(stretches):
            start = max(stretch.start, offered)
            end = min(stretch.end, until) if until else stretch.end
            if start < end:
                kept.append(replace(stretch, start=start, end=end))
        until = stretches[0].start  # a newer session holds from its first frame
    return kept[::-1]


def _laid_out(stretches: list[_Stretch]) -> tuple[list[Span], list[Gap]]:
    spans: list[Span] = []
    gaps: list[Gap] = []
    previous: _Stretch | None = None
    for stretch in stretches:
        if previous is not None and _apart(previous, stretch):
            same = previous.session["_id"] == stretch.session["_id"]
            why = "lost" if same else _why_ended(previous.session)
            gaps.append(Gap(previous.end, stretch.start, why))
        if stretch.run.fault is None:
            spans.append(_span(stretch))
        else:
            gaps.append(Gap(stretch.start, stretch.end, stretch.run.fault))
        previous = stretch
    return spans, gaps


def _apart(left: _Stretch, right: _Stretch) -> bool:
    frame_ticks = max(left.run.frame_ticks, right.run.frame_ticks) or _FRAME_TICKS
    hole = timedelta(seconds=HOLE_FRAMES * frame_ticks / clock.TICKS_PER_SECOND)
    return right.start - left.end > hole


def _span(stretch: _Stretch) -> Span:
    run, row = stretch.run, stretch.session
    whole = stretch.end == wall(row, run.end_ticks)
    return Span(
        stretch.start,
        stretch.end,
        row["_id"],
        max(run.start_ticks, clock.ticks_at(row["clock_ns"], stretch.start)),
        run.end_ticks if whole else clock.ticks_at(row["clock_ns"], stretch.end),
        run.audio,
        run.width,
        run.height,
    )


def wall(session: Row, ticks: int) -> datetime:
    """The instant of a media time of a session whose clock is known."""
    return clock.wall(session["clock_ns"], ticks)


def _why_ended(session: Row) -> str:
    failed = session["status"] in _FAILED or session["ghost_at"] is not None
    return "egress-failed" if failed else "egress-ended"


def _recording(sessions: Sequence[Row]) -> Row | None:
    """The session whose media goes on, or of which the last segments may still come."""
    live = [row for row in sessions if row["indexing"] is not None and row["ghost_at"] is None]
    current = [row for row in live if row["role"] == "current"]
    return max(current or live, key=lambda row: row["created_at"], default=None)


def _state(
    buffer: Row,
    recording: Row | None,
    spans: list[Span],
    indexed: Mapping[str, Indexed],
    now: datetime,
) -> tuple[str, str | None]:
    why = buffer["why"]
    if buffer["ended_at"] is not None:
        return "ended", why
    if why is not None and why not in TRYING:
        return "refused", why
    if recording is None or recording["ended_at"] is not None:
        return "waiting", why
    three = timedelta(seconds=3 * recording["segment_seconds"])
    newest = max((s.end for s in spans if s.session_id == recording["_id"]), default=None)
    newest_at = indexed.get(recording["_id"], Indexed()).newest_at
    if newest is None or newest_at is None:
        begun = recording["active_at"]
        if begun is not None and buffer.get("forget_before") is not None:
            begun = max(begun, buffer["forget_before"])  # nothing is left of what came before
        late = begun is not None and now - begun > three + timedelta(seconds=10)
        return ("stalled", why) if late else ("starting", "starting")
    if now - newest_at > three + timedelta(seconds=10):
        return "stalled", why
    return ("lagging" if now - newest > three + timedelta(seconds=3) else "recording"), why
