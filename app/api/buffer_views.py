"""Buffers as callers are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from app.access import visibility
from app.access.policy import Right
from app.access.tokens import Caller
from app.access.visibility import Permit
from app.api import auth, json_types, share_lookup
from app.api.json_types import Id, Identity, InstantText, NextPage, Pixels, RoomName, RoundedSeconds
from app.api.marker_routes import MarkerView
from app.api.web_state import WebState
from app.api.wire import View
from app.models import BufferGapWhy, BufferState, ClockKind, EncodingWhy, FaultSlug, Why
from app.models.word_schema import words
from app.viewing import witness_view
from app.viewing.timeline import Timeline

SessionId = Annotated[str, Field(examples=["6a1f09c3-5f0c2d9e8b7a4c31d2e6f901"])]
ClockWord = Annotated[
    str,
    words(ClockKind),
    Field(description="Whether times are `exact`, or `approximate`: up to 2 s off."),
]
EncodingName = Annotated[str, Field(examples=["1280x720@15:1500"])]
_URLS = ("playlist_url", "replay_url", "poster_url", "thumbnails_url")
HasAudio = Annotated[bool, Field(description="Whether there is sound.")]


class BufferView(View):
    """A share and what is kept of it. Its URLs need no token, for a while."""

    id: Id = Field(description="Names it in paths.")
    room: RoomName
    sharer: Identity = Field(description="Whose screen it is.", serialization_alias="identity")
    state: Annotated[str, words(BufferState)] = Field(description="What the share is doing.")
    why: Annotated[str, words(Why)] | None = Field(
        description="Why nothing is recorded; null where something is.", examples=[None]
    )
    why_detail: json_types.Text = Field(
        description="A number or somebody's words that belong to `why`."
    )
    retry_at: InstantText | None = Field(
        description="When a start is tried again.", examples=[None]
    )
    started_at: InstantText = Field(
        description="When the share began.", serialization_alias="since"
    )
    ended_at: InstantText | None = Field(
        description="When it ended; null while it lasts.", examples=[None]
    )
    oldest: InstantText | None = Field(description="The first moment that a capture may begin at.")
    newest: InstantText | None = Field(description="The end of the newest media.")
    media_seconds: RoundedSeconds = Field(
        description="How much media there is.", serialization_alias="seconds"
    )
    audio: HasAudio
    session_ids: list[SessionId] = Field(
        description="The recordings that it consists of, in order.",
        serialization_alias="sessions",
    )
    clock: ClockWord
    encoding: EncodingName | None = Field(
        description="What it is recorded in, as ENCODING names it; null where nothing is recorded."
    )
    encoding_why: Annotated[str, words(EncodingWhy)] | None = Field(
        description="Why that is not the configured one; null where it is.", examples=[None]
    )
    playlist_url: json_types.MediaUrl | None = Field(
        description="All of it as HLS; null where the caller may not watch it."
    )
    replay_url: json_types.MediaUrl | None = Field(
        description="The last part of it as one MP4; null where the caller may not watch it."
    )
    poster_url: json_types.MediaUrl | None = Field(
        description="The newest picture.", serialization_alias="poster"
    )
    thumbnails_url: json_types.MediaUrl | None = Field(
        description="WebVTT that finds a picture for each segment.",
        serialization_alias="thumbnails",
    )


class SpanView(View):
    """A stretch of media without a hole."""

    start: InstantText = Field(description="Its first frame.")
    end: InstantText = Field(description="The end of its last frame.")
    session_id: SessionId = Field(
        description="The recording that it belongs to.", serialization_alias="session"
    )
    audio: HasAudio
    width: Pixels = Field(description="Of the picture.")
    height: Pixels = Field(description="Of the picture.")
    encoding: EncodingName | None = Field(description="What egress was asked for, if it is known.")


class GapView(View):
    """A stretch of which nothing can be shown."""

    start: InstantText = Field(description="Where it begins.")
    end: InstantText = Field(description="Where it ends.")
    why: Annotated[str, words(BufferGapWhy, FaultSlug)] = Field(
        description="Why nothing can be shown."
    )


class BufferTimeline(BufferView):
    """A share with its timeline."""

    spans: list[SpanView] = Field(
        description="Where there is media, in order. Marked stretches stay here when they are "
        "older than `oldest`."
    )
    gaps: list[GapView] = Field(description="Where there is none, in order.")


class BufferDetail(BufferTimeline):
    """A share with its timeline, and what was marked on it."""

    markers: list[MarkerView] = Field(description="Moments that somebody marked, in order.")


class BufferPage(View):
    """A page of buffers."""

    items: list[BufferView] = Field(description="Newest share first.")
    next: NextPage


async def views(
    state: WebState, caller: Caller, lines: Sequence[Timeline], now: datetime
) -> list[BufferView]:
    """Buffers that the caller may see, as they are shown them."""
    return [view for _, view in await _shown_to(state, caller, lines, now)]


async def timelines(
    state: WebState, caller: Caller, lines: Sequence[Timeline], now: datetime
) -> list[BufferTimeline]:
    """Buffers that the caller may see, as they are shown them, with their timelines."""
    shown_lines = await _shown_to(state, caller, lines, now)
    return [BufferTimeline(**timeline_members(line, view)) for line, view in shown_lines]


def timeline_members(line: Timeline, view: BufferView) -> dict[str, Any]:
    """The members of BufferTimeline, of what `shown` gave."""
    return {
        **view.model_dump(),
        "spans": [SpanView.model_validate(span) for span in line.spans],
        "gaps": [GapView.model_validate(gap) for gap in line.gaps],
    }


async def _shown_to(
    state: WebState, caller: Caller, lines: Sequence[Timeline], now: datetime
) -> list[tuple[Timeline, BufferView]]:
    ctx = state.ctx
    reader = await auth.reader_of(state, caller, now)
    readers = await auth.readers_of_shares(state, reader, {line.identity for line in lines})
    shares = [visibility.share_in(line) for line in lines]
    permits = await visibility.permits(ctx.store, ctx.settings, caller, shares)
    longest = ctx.settings.max_capture
    return [
        shown(readers[line.identity], line, permit, longest)
        for line, permit in zip(lines, permits, strict=True)
    ]


def shown(
    reader: auth.Reader, line: Timeline, permit: Permit, longest: timedelta
) -> tuple[Timeline, BufferView]:
    """A share as far as the reader may watch it, if they may."""
    if permit.stays is not None:
        line = witness_view.witnessed(line, permit.stays)
    return line, _view(line, _urls(line, reader, permit, longest))


def _urls(
    line: Timeline, reader: auth.Reader, permit: Permit, longest: timedelta
) -> dict[str, str | None]:
    """The media URLs that the caller may have.

    Who may watch only what they were present for gets that as it is now: a URL that moved on would
    go on showing after they have left.
    """
    path = f"/buffers/{line.buffer_id}"
    window: dict[str, str] = {}
    if permit.right < Right.CAPTURE:
        if permit.stays is None or line.oldest is None or line.newest is None:
            return dict.fromkeys(_URLS)
        window = share_lookup.query_of(permit.of(line.oldest, line.newest))
    last = {"last": f"{longest.total_seconds():g}"}
    return {
        "playlist_url": reader.url(f"{path}/playlist.m3u8", **window),
        "replay_url": reader.url(f"{path}/replay.mp4", **(window or last)),
        "poster_url": reader.url(f"{path}/poster.jpg", **window),
        "thumbnails_url": reader.url(f"{path}/thumbnails.vtt", **window),
    }


def _view(line: Timeline, urls: dict[str, str | None]) -> BufferView:
    return BufferView(
        id=line.buffer_id,
        room=line.room,
        sharer=line.identity,
        state=line.state,
        why=line.why,
        why_detail=line.why_detail,
        retry_at=line.retry_at,
        started_at=line.since,
        ended_at=line.ended_at,
        oldest=line.oldest,
        newest=line.newest,
        media_seconds=line.seconds,
        audio=line.audio,
        session_ids=list(line.session_ids),
        clock=line.clock,
        encoding=line.encoding,
        encoding_why=line.encoding_why,
        **urls,
    )
