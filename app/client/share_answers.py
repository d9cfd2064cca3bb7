"""What the service answers of shares, as types: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Literal, TypedDict

from . import answer_words as w


class BufferAnswer(TypedDict):
    """A share and what is kept of it."""

    id: str
    room: str
    sharer: str
    state: w.BufferStateChoice
    why: w.WhyChoice | None
    why_detail: str
    retry_at: str | None
    started_at: str
    ended_at: str | None
    oldest: str | None
    newest: str | None
    media_seconds: float
    audio: bool
    session_ids: list[str]
    clock: w.ClockKindChoice
    encoding: str | None
    encoding_why: w.EncodingWhyChoice | None
    playlist_url: str | None
    replay_url: str | None
    poster_url: str | None
    thumbnails_url: str | None


class GapAnswer(TypedDict):
    """A stretch of which nothing can be shown."""

    start: str
    end: str
    why: Literal[
        "lost",
        "expired",
        "not-present",
        "not-shared",
        "refused",
        "egress-failed",
        "egress-ended",
        "codec",
        "corrupt",
        "empty",
        "not-a-file",
        "no-keyframe",
        "no-video",
        "timestamps",
        "too-large",
        "truncated",
        "unreadable",
        "missing",
        "deleted",
    ]


class MarkerListAnswer(TypedDict):
    """All markers of a share that the caller may see."""

    items: list[MarkerAnswer]


class MarkerAnswer(TypedDict):
    """A marked moment."""

    id: str
    buffer_id: str
    at: str
    label: str
    marked_by: str
    created_at: str
    kept_until: str


class RoomTimelineAnswer(TypedDict):
    """The shares of a room that the caller may see, on one wall clock."""

    room: str
    room_sid: str
    now: str
    items: list[BufferTimelineAnswer]
    complete: bool


class SpanAnswer(TypedDict):
    """A stretch of media without a hole."""

    start: str
    end: str
    session_id: str
    audio: bool
    width: int
    height: int
    encoding: str | None


class BufferTimelineAnswer(BufferAnswer):
    """A share with its timeline."""

    spans: list[SpanAnswer]
    gaps: list[GapAnswer]


class BufferDetailAnswer(BufferTimelineAnswer):
    """A share with its timeline, and what was marked on it."""

    markers: list[MarkerAnswer]
