"""What the service answers, as types: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Generic, Literal, TypedDict, TypeVar

from . import answer_words as w
from .share_answers import BufferAnswer as BufferAnswer
from .share_answers import BufferDetailAnswer as BufferDetailAnswer
from .share_answers import BufferTimelineAnswer as BufferTimelineAnswer
from .share_answers import GapAnswer as GapAnswer
from .share_answers import MarkerAnswer as MarkerAnswer
from .share_answers import MarkerListAnswer as MarkerListAnswer
from .share_answers import RoomTimelineAnswer as RoomTimelineAnswer
from .share_answers import SpanAnswer as SpanAnswer

PageItem = TypeVar("PageItem")


class AnswerPage(TypedDict, Generic[PageItem]):
    """Some of a list, and where it goes on."""

    items: list[PageItem]
    next: str | None


class ArchiveAnswer(TypedDict):
    """A zip that is written while it is downloaded."""

    download_url: str
    size_bytes: int


class CallerAnswer(TypedDict):
    """Whose a token is, what they may do, and how much."""

    expires_at: str | None
    identity: str
    room: str | None
    room_admin: bool
    instance_admin: bool
    communities: list[StandingAnswer]
    limits: LimitsAnswer


class ChapterAnswer(TypedDict):
    """A moment that somebody had marked when the clip was made."""

    seconds: float
    label: str


class ClipGapAnswer(TypedDict):
    """A stretch of the window without a picture."""

    start: str
    end: str
    why: w.GapWhyChoice
    kept: bool


class ClipAnswer(TypedDict):
    """A clip."""

    id: str
    title: str
    owner: str
    right: Literal["read", "ask", "close", "delete", "change"]
    sharer: str
    buffer_id: str
    trimmed_from: str | None
    moment_id: str | None
    room: str
    requested: RequestedAnswer
    delivered: DeliveredAnswer
    gaps: list[ClipGapAnswer]
    chapters: list[ChapterAnswer]
    notes: list[w.ClipNoteChoice]
    tail_lag_seconds: float
    hidden_head_seconds: float
    preparing: bool
    audio: bool
    width: int
    height: int
    cut: w.CutChoice
    clock: w.ClockKindChoice
    visibility: w.VisibilityChoice
    closed_by: str | None
    deletion_request: DeletionRequestAnswer | None
    link_url: str | None
    page_url: str | None
    link_expires_at: str | None
    link_tells: list[w.LinkFactChoice]
    views: int | None
    keep: bool
    size_bytes: int
    checksum: str | None
    file_id: str
    file_url: str
    download_url: str
    poster_url: str
    thumbnails_url: str
    created_at: str
    expires_at: str | None
    deleted_at: str | None


class DeletionRequestAnswer(TypedDict):
    """That the clip's owner is asked to delete it."""

    requested_by: str
    reason: str
    requested_at: str


class DeliveredAnswer(TypedDict):
    """What the clip shows."""

    start: str
    end: str
    duration_seconds: float


class LimitsAnswer(TypedDict):
    """What holds in this instance, where a community has no rules of its own."""

    max_capture_seconds: float
    retention_seconds: float
    marker_minutes: float
    clip_days: float | None
    capture_policy: w.CapturePolicyChoice
    access: w.AccessModeChoice
    events: bool
    title_length: int
    text_length: int
    post_roll_seconds: float
    restore_seconds: float


class MessageAnswer(TypedDict):
    """What the chat is asked to post."""

    text: str
    attachments: list[str]


class MomentAcceptedAnswer(TypedDict):
    """Captures of one window, which belong together."""

    moment_id: str
    room: str
    room_sid: str
    window: RequestedAnswer
    captures: list[MomentCaptureAnswer]
    refused: list[MomentRefusalAnswer]
    complete: bool


class MomentRefusalAnswer(TypedDict):
    """A share that is not captured, and the problem that a capture of it alone would meet."""

    buffer_id: str
    sharer: str
    type: str
    title: str
    detail: str


class ProgressAnswer(TypedDict):
    """How far a capture is."""

    status: Literal["queued", "waiting", "running", "ready", "failed", "cancelled"]
    stage: w.CaptureStageChoice
    progress: float
    reason: w.FailureReasonChoice | None
    detail: str
    clip: ClipAnswer | None


class PromisedAnswer(TypedDict):
    """A capture that will be made."""

    id: str
    status: Literal["queued", "waiting", "running", "ready", "failed", "cancelled"]
    clip_id: str
    events_url: str
    capture_url: str


class QuotaAnswer(TypedDict):
    """A user's quota, and what of it is used."""

    quota_bytes: int
    own: bool
    used_bytes: int
    reserved_bytes: int


class RequestedAnswer(TypedDict):
    """A window of time."""

    start: str
    end: str


class ShareAnswer(TypedDict):
    """The event `clip_shared` that is on its way."""

    event_id: str
    channel_id: str
    message: MessageAnswer


class StandingAnswer(TypedDict):
    """What the caller is in a community."""

    id: str
    role: w.RoleChoice
    grants: list[w.ActionChoice]
    manages: bool
    administrates: bool


class AcceptedAnswer(PromisedAnswer):
    """A capture of a share that will be made."""

    playlist_url: str


class CaptureAnswer(ProgressAnswer):
    """A capture: what was asked for, and how far it is."""

    id: str
    clip_id: str
    buffer_id: str
    room: str
    sharer: str
    trimmed_from: str | None
    moment_id: str | None
    title: str
    cut: w.CutChoice
    requested: RequestedAnswer
    window: RequestedAnswer
    notes: list[w.ClipNoteChoice]
    playlist_url: str
    events_url: str
    accepted_at: str
    finished_at: str | None


class MomentCaptureAnswer(AcceptedAnswer):
    """A capture of one of the shares."""

    buffer_id: str
    sharer: str
