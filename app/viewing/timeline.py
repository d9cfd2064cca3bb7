"""A buffer's timeline: its spans and gaps in wall-clock time, its state, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.buffer.coverage import Indexed
from app.buffer.reach import seen_ahead
from app.buffer.retention import erased_until
from app.models import (
    BufferRow,
    BufferState,
    ClockKind,
    EncodingWhy,
    SessionRole,
    SessionRow,
    Why,
)
from app.models.instants import FOREVER
from app.models.intervals import Interval
from app.settings import Settings
from app.viewing.erased_media import without_erased
from app.viewing.spans import Gap, Span, laid_out, placed_runs


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a buffer offers now: at most the last MAX_CAPTURE_MINUTES, and marked stretches before.

    `session_ids`: those that media is offered of, and the one that records. `reach`: how much a
    window may hold. `ahead`: how far the clock of the media is seen to be ahead of ours, while it
    is recorded. `recording_session` is the row of the session whose media goes on or may still
    come, None when nothing more will come.
    """

    buffer_id: str
    room: str
    room_sid: str
    identity: str
    community: str
    since: datetime
    ended_at: datetime | None
    state: BufferState
    why: Why | None
    why_detail: str
    retry_at: datetime | None
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    session_ids: tuple[str, ...]
    clock: ClockKind
    recording_session: SessionRow | None = field(repr=False)
    reach: timedelta
    ahead: timedelta

    @property
    def is_there(self) -> bool:
        """Whether the share goes on, or anything is kept of it."""
        return self.state != BufferState.ENDED or bool(self.spans)

    @property
    def oldest(self) -> datetime | None:
        """Where the newest and longest possible window begins."""
        if self.newest is None:
            return None
        begin = self.newest - self.reach
        return next(max(begin, span.start) for span in self.spans if span.end > begin)

    @property
    def encoding(self) -> str | None:
        """What egress is asked for; None if nothing is recorded, or that is not known."""
        return self.recording_session["encoding"] or None if self.recording_session else None

    @property
    def encoding_why(self) -> EncodingWhy | None:
        """Why that is not the configured encoding."""
        return self.recording_session["encoding_why"] if self.recording_session else None

    @property
    def newest(self) -> datetime | None:
        return self.spans[-1].end if self.spans else None

    def present(self, now: datetime) -> datetime:
        """A moment of ours by the clock of the media that is recorded at it."""
        return now + self.ahead

    @property
    def seconds(self) -> float:
        """How much media there is from `oldest` on."""
        begin = self.oldest
        lengths = (span.end - max(begin, span.start) for span in self.spans if begin is not None)
        return sum((max(0.0, length.total_seconds()) for length in lengths), 0.0)

    @property
    def audio(self) -> bool:
        return any(span.audio for span in self.spans)


def offered_from(now: datetime, settings: Settings, retention: timedelta | None = None) -> datetime:
    """The oldest instant that is offered. Retention keeps a little more, for slow captures."""
    return now - min(settings.max_capture, retention or settings.retention)


def build(
    buffer: BufferRow,
    sessions: Sequence[SessionRow],
    indexed: Mapping[str, Indexed],
    now: datetime,
    offered: datetime,
    marks: Sequence[Interval] = (),
) -> Timeline:
    """The timeline of a buffer's row, the rows of its sessions and what is indexed of them.

    Media before `offered` is left out, except that of `marks`, which are in order and apart.
    """
    shown = _shown(offered, marks, erased_until(buffer, sessions))
    left = without_erased(sessions, indexed, buffer["forget_ranges"])
    spans, gaps = laid_out(placed_runs(sessions, left, shown), shown)
    recording = _recording(buffer, sessions)
    state, why = _state(buffer, recording, spans, indexed, now)
    ids = {span.session_id for span in spans} | ({recording["_id"]} if recording else set())
    used = [row for row in sessions if row["_id"] in ids]
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
        clock=ClockKind.EXACT if exact else ClockKind.APPROXIMATE,
        recording_session=recording,
        reach=now - offered,
        ahead=seen_ahead(recording, indexed.get(recording["_id"])) if recording else timedelta(0),
    )


def _shown(offered: datetime, marks: Sequence[Interval], erased: datetime | None) -> list[Interval]:
    """What may be shown, in order and apart: marked intervals, then all that is offered."""
    shown: list[Interval] = [(start, end) for start, end in marks if start < offered]
    begin = min(offered, shown.pop()[0]) if shown and shown[-1][1] >= offered else offered
    shown.append((begin, FOREVER))
    if erased is None:
        return shown
    return [(max(start, erased), end) for start, end in shown if end > erased]


def _recording(buffer: BufferRow, sessions: Sequence[SessionRow]) -> SessionRow | None:
    """The session whose media goes on, or of which the last segments may still come.

    What records the track that the share has now comes before what has recorded one before.
    """
    live = [row for row in sessions if row["indexing"] is not None and row["ghost_at"] is None]
    now = [row for row in live if row["video_sid"] == buffer["video_sid"]]
    current = [row for row in now or live if row["role"] == SessionRole.CURRENT]
    return max(current or now or live, key=lambda row: row["created_at"], default=None)


def _state(
    buffer: BufferRow,
    recording: SessionRow | None,
    spans: list[Span],
    indexed: Mapping[str, Indexed],
    now: datetime,
) -> tuple[BufferState, Why | None]:
    why = buffer["why"]
    if buffer["ended_at"] is not None:
        return BufferState.ENDED, why
    if why is not None and why not in Why.trying():
        return BufferState.REFUSED, why
    if recording is None or recording["ended_at"] is not None:
        return BufferState.WAITING, why
    three = timedelta(seconds=3 * recording["segment_seconds"])
    newest = max((s.end for s in spans if s.session_id == recording["_id"]), default=None)
    newest_at = indexed.get(recording["_id"], Indexed()).newest_at
    if newest is None or newest_at is None:
        begun = recording["active_at"]
        if begun is not None and buffer["forget_before"] is not None:
            begun = max(begun, buffer["forget_before"])  # nothing is left of what came before
        if begun is not None and now - begun > three + timedelta(seconds=10):
            return BufferState.STALLED, why
        return BufferState.STARTING, why or Why.STARTING
    if now - newest_at > three + timedelta(seconds=10):
        return BufferState.STALLED, why
    # Not late, but deleted.
    erased = [part["end"] for part in buffer["forget_ranges"] if part["end"] > newest]
    late = now - max([newest, *erased]) > three + timedelta(seconds=3)
    return (BufferState.LAGGING if late else BufferState.RECORDING), why
