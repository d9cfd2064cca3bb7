"""Rows of what people keep: captures, the clips they make, their files."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from app.models.buffer_rows import MediaRange
from app.models.link_words import LinkFact
from app.models.rendition_words import RenditionFormat
from app.models.words import (
    CaptureStage,
    CaptureStatus,
    ClipNote,
    ClockKind,
    Cut,
    Gaps,
    GapWhy,
    Tail,
    Visibility,
)


class ClipGap(TypedDict):
    """A part of a clip's window without a new picture. `kept`: it is in the clip."""

    start: datetime
    end: datetime
    why: GapWhy
    kept: bool


class ClipChapter(TypedDict):
    """A moment of a clip that somebody had marked, in seconds of its play time."""

    seconds: float
    label: str


class ClipMedia(TypedDict):
    """What is known of a clip's media as soon as there is a row of it."""

    duration_seconds: float
    hidden_head_seconds: float
    tail_lag_seconds: float
    gaps: list[ClipGap]
    chapters: list[ClipChapter]
    notes: list[ClipNote]
    audio: bool
    width: int
    height: int


class ClipFields(ClipMedia):
    """The fields of a clip's row that depend on its media."""

    delivered_start: datetime
    delivered_end: datetime
    cut: Cut
    clock: ClockKind


class CaptureResult(TypedDict):
    """What the verified file of a capture holds. `part` is its name until it has its final one."""

    part: str
    file_id: str
    filename: str
    size_bytes: int
    created_at: datetime
    told: ClipFields


class TrimRange(TypedDict):
    """Which part of which clip becomes another one, in seconds of its play time."""

    clip_id: str
    start_seconds: float
    end_seconds: float


class CaptureRow(TypedDict):
    """A row of `Capture`."""

    _id: str
    clip_id: str
    buffer_id: str
    caller: str
    room: str
    room_sid: str
    identity: str
    community: str
    title: str
    cut: Cut
    gaps: Gaps
    tail: Tail
    requested_start: datetime
    requested_end: datetime
    window_start: datetime
    window_end: datetime
    wait_until: datetime
    spans: list[MediaRange]
    trim: TrimRange | None
    in_place: bool
    moment_id: str | None
    notes: list[ClipNote]
    by_rules: bool
    permitted_until: datetime | None
    accepted_at: datetime
    idempotency_key: str | None
    request_hash: str
    status: CaptureStatus
    stage: CaptureStage
    progress: float
    reason: str | None
    detail: str
    reserved_bytes: int
    lease: str | None
    lease_until: datetime | None
    generation: int
    attempts: int
    result: CaptureResult | None
    named: bool
    finished_at: datetime | None


class DeletionRequest(TypedDict):
    """That somebody asks a clip's owner to delete it, why, and since when."""

    requested_by: str
    reason: str
    requested_at: datetime


class TakenPlace(TypedDict):
    """Whose place a clip was given, that clip's `grant` and `turn` then, and its own since.

    `first`: which clip it is a part of had the place first; None if it is a part of none that had.
    """

    clip_id: str
    first: str | None
    grant: int
    turn: int
    own_grant: int


class ClipRow(ClipMedia):
    """A row of `ReplayClip`."""

    _id: str
    capture_id: str
    trimmed_from: str | None
    ancestors: list[str]
    in_place_of: TakenPlace | None
    replaced_by: str | None
    moment_id: str | None
    file_id: str
    owner: str
    shared_by: str
    buffer_id: str
    room: str
    room_sid: str
    community: str
    title: str
    visibility: Visibility
    audience: str | None
    link_secret: str | None
    link_expires_at: datetime | None
    link_tells: list[LinkFact]
    views: int
    grant: int
    opened: bool
    closed_by: str | None
    deletion_request: DeletionRequest | None
    ready: bool
    requested_start: datetime
    requested_end: datetime
    delivered_start: datetime | None
    delivered_end: datetime | None
    hidden_head_shared: bool
    clean_bytes: int | None
    clean_checksum: str | None
    clean_lease: str | None
    clean_until: datetime | None
    clean_attempts: int
    cut: Cut
    clock: ClockKind
    created_at: datetime
    expires_at: datetime | None
    keep: bool
    deleted_at: datetime | None
    turn: int


class FileRow(TypedDict):
    """A row of `File`."""

    _id: str
    filename: str
    mime: str
    file_type: str
    size_bytes: int
    checksum: str | None
    uploaded_by: str
    storage_type: str
    storage_path: str
    resource_type: str
    resource_id: str
    created_at: datetime


class RenditionRow(TypedDict):
    """A row of `Rendition`."""

    _id: str
    clip_id: str
    caller: str
    content: str
    format: RenditionFormat
    beside: list[str]
    start_seconds: float
    end_seconds: float
    storage_path: str
    accepted_at: datetime
    status: CaptureStatus
    progress: float
    reason: str | None
    detail: str
    size_bytes: int | None
    lease: str | None
    lease_until: datetime | None
    attempts: int


class ClipOwnerRow(TypedDict):
    """Somebody who has clips, and when they were last seen."""

    _id: str
    seen_at: datetime
