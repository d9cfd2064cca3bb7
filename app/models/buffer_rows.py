"""Rows of what is recorded: shares, their egresses, the segments, and what may not be deleted."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

from app.models.encoding_words import EncodingWhy
from app.models.words import (
    EgressStatus,
    FaultSlug,
    Indexing,
    SegmentState,
    SessionRole,
    Stopper,
    Why,
)


class MediaRange(TypedDict):
    """[start_ticks, end_ticks) of a session's media; stored in captures and pins as it is."""

    session_id: str
    start_ticks: int
    end_ticks: int


class ErasedRange(TypedDict):
    """[start, end) of a share's time: what was recorded in it is to go.

    `captures_ended`: nothing that may have read its media before that was said is still at work.
    """

    start: datetime
    end: datetime
    captures_ended: bool


class EncodingStepDocument(TypedDict):
    """That a share goes on in a cheaper encoding: which, why, since when."""

    encoding: str
    why: EncodingWhy
    at: datetime


class EncodingStepRow(TypedDict):
    """A row of `EncodingStep`."""

    _id: str
    buffer_id: str
    encoding: str
    why: EncodingWhy
    at: datetime


class BufferRow(TypedDict):
    """A row of `Buffer`."""

    _id: str
    room: str
    room_sid: str
    identity: str
    participant_sid: str
    video_sid: str
    community: str
    since: datetime
    ended_at: datetime | None
    why: Why | None
    why_detail: str
    retry_at: datetime | None
    forget_before: datetime | None
    forget_ranges: list[ErasedRange]
    stops: dict[Stopper, str]
    failures: int
    step: EncodingStepDocument | None
    told: str
    told_count: int
    told_encoding: str


class SessionRow(TypedDict):
    """A row of `EgressSession`."""

    _id: str
    buffer_id: str
    room: str
    room_sid: str
    identity: str
    video_sid: str
    audio_sid: str | None
    role: SessionRole | None
    folder: str
    created_at: datetime
    segment_seconds: int
    width: int
    height: int
    encoding: str
    encoding_why: EncodingWhy | None
    behind_at: datetime | None

    start_sent_at: datetime | None
    start_unclear_at: datetime | None
    looked_at: datetime | None
    stop_sent_at: datetime | None
    stopped_for: Why | None
    egress_id: str | None
    status: EgressStatus
    error: str
    error_code: int
    active_at: datetime | None
    ended_at: datetime | None
    ghost_at: datetime | None

    clock_ns: int | None
    clock_exact: bool

    indexing: Indexing | None
    indexer: str | None
    indexer_until: datetime | None


class SegmentRow(TypedDict):
    """A row of `Segment`."""

    _id: str
    session_id: str
    buffer_id: str
    sequence: int
    name: str
    start: datetime
    end: datetime
    start_ticks: int
    end_ticks: int
    extinf_seconds: float
    size_bytes: int
    modified_ns: int | None
    payload_offset: int
    init_id: str
    audio: bool
    frames: int
    width: int
    height: int
    samples: bytes
    levels: bytes
    state: SegmentState
    fault: FaultSlug | None
    indexed_at: datetime


class RunDocument(TypedDict):
    """A run of segments in a summary; `app.buffer.coverage` says what its fields mean."""

    first: int
    last: int
    start_ticks: int
    end_ticks: int
    audio: bool
    width: int
    height: int
    frame_ticks: int
    fault: FaultSlug | None


class LostRange(TypedDict):
    """Media whose files are gone, and why."""

    start_ticks: int
    end_ticks: int
    fault: FaultSlug


class SummaryRow(TypedDict):
    """A row of `Summary`. The indexer writes one part, cleanup the other: either may be missing."""

    _id: str
    through: NotRequired[int]
    floor: NotRequired[int]
    runs: NotRequired[list[RunDocument]]
    newest_at: NotRequired[datetime | None]
    kept_from: NotRequired[int]
    kept_from_ticks: NotRequired[int | None]
    lost: NotRequired[list[LostRange]]


class PinRow(TypedDict):
    """A row of `Pin`."""

    _id: str
    owner: str
    session_id: str
    start_ticks: int
    end_ticks: int | None
    until: datetime


class MarkerRow(TypedDict):
    """A row of `Marker`."""

    _id: str
    buffer_id: str
    at: datetime
    label: str
    request_hash: str
    by: str
    place: int
    personal_place: int
    created_at: datetime
    kept_until: datetime
