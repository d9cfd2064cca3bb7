"""What is kept of the shares: /buffers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import policy, visibility
from app.access.policy import Right
from app.access.tokens import Caller
from app.access.visibility import Permit
from app.api import auth, marker_routes, share_lookup, wire
from app.api.call import Call
from app.api.marker_routes import MarkerView
from app.api.operation import Answer, endpoint
from app.api.web_state import WebState
from app.api.wire import InstantText, RoundedSeconds
from app.captures import share_erasure
from app.captures.requests import Name
from app.errors import NotFound, NotPermitted
from app.models.keyset import Order
from app.models.schema import Buffer
from app.viewing import buffer_states, stored_timelines, witnessed
from app.viewing.timeline import Timeline

_STATE = "|".join(buffer_states.NAMES)
States = Annotated[str, Field(pattern=rf"^({_STATE})(,({_STATE}))*$", max_length=200)]
"""Comma separated names of `app.viewing.buffer_states`."""
_NEWEST_FIRST = Order("since")


class BufferView(wire.View):
    """A share and what is kept of it. Its URLs need no token, for a while."""

    id: str
    room: str
    identity: str = Field(description="Whose screen it is.")
    state: str = Field(
        description="`waiting`, `starting`, `recording`, `lagging`, `stalled`, `ended`, `refused`"
    )
    why: str | None = Field(description="A slug that tells why nothing is recorded.")
    why_detail: str
    retry_at: InstantText | None = Field(description="When a start is tried again.")
    since: InstantText = Field(description="When the share began.")
    ended_at: InstantText | None
    oldest: InstantText | None = Field(description="The first moment that a capture may begin at.")
    newest: InstantText | None = Field(description="The end of the newest media.")
    seconds: RoundedSeconds = Field(description="How much media there is.")
    audio: bool
    sessions: list[str]
    clock: str = Field(description="`exact`, or `approximate`: up to 2 s off.")
    playlist_url: str | None = Field(description="null where the caller may not watch it.")
    replay_url: str | None
    poster: str | None = Field(description="The newest picture.")
    thumbnails: str | None = Field(description="WebVTT that finds a picture for each segment.")


class SpanView(wire.View):
    """A stretch of media without a hole."""

    start: InstantText
    end: InstantText
    session: str = Field(validation_alias="session_id")
    audio: bool
    width: int
    height: int


class GapView(wire.View):
    """A stretch of which nothing can be shown, and a slug that tells why."""

    start: InstantText
    end: InstantText
    why: str


class BufferDetail(BufferView):
    """A share with its timeline, and what was marked on it."""

    spans: list[SpanView] = Field(
        description="Marked stretches stay here when they are older than `oldest`."
    )
    gaps: list[GapView]
    markers: list[MarkerView]


class BufferPage(wire.View):
    """Buffers, newest share first. `next` asks for the following ones; null at the end."""

    items: list[BufferView]
    next: str | None


class BufferQuery(wire.Input):
    """Which buffers."""

    room: Name | None = Field(None, description="Only of this room.")
    identity: Name | None = Field(None, description="Only of this sharer.")
    state: States | None = Field(
        None,
        description="Only in these states, comma separated; `active`: any but `ended` and "
        "`refused`. Where single active states are asked for, a page may hold fewer than `limit` "
        "although others follow.",
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    next: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Where the page before ended."
    )


@endpoint(
    "GET /buffers",
    "The buffers that the caller may see",
    answers={HTTPStatus.OK: Answer("A page of buffers.")},
)
async def list_buffers(call: Call[BufferQuery]) -> BufferPage:
    """A page of them."""
    ctx, given = call.ctx, call.input
    wanted = {"room": given.room, "identity": given.identity}
    conditions: list[dict[str, Any]] = [
        await visibility.scope(ctx.store, ctx.settings, call.caller),
        {field: value for field, value in wanted.items() if value is not None},
        {} if given.state is None else buffer_states.stored(buffer_states.read(given.state)),
    ]
    page = await ctx.store.page(
        Buffer,
        _NEWEST_FIRST,
        {"$and": conditions},
        limit=given.limit,
        after=given.next,
        fields={"since": 1},
    )
    lines = await _lines(call, [row["_id"] for row in page.items])
    if given.state is not None:
        lines = [line for line in lines if line.state in buffer_states.read(given.state)]
    items = await views(call.state, call.caller, lines, call.now)
    return BufferPage(items=items, next=page.next)


async def _lines(call: Call[BufferQuery], ids: list[str]) -> list[Timeline]:
    """The timelines of these buffers, in their order."""
    which: dict[str, object] = {"_id": {"$in": ids}}
    lines = await stored_timelines.listing(
        call.ctx.store, which, call.now, call.ctx.settings, limit=len(ids)
    )
    return sorted(lines, key=lambda line: ids.index(line.buffer_id))


@endpoint(
    "GET /buffers/{buffer_id}",
    "A buffer and its timeline",
    answers={HTTPStatus.OK: Answer("The buffer.")},
    problems=[NotFound],
)
async def get_buffer(call: Call[None]) -> BufferDetail:
    """With what was marked on it."""
    ctx, caller, now = call.ctx, call.caller, call.now
    line = await share_lookup.seen_timeline(call)
    share = visibility.share_in(line)
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    reader = await share_lookup.reader_of(call, share.identity)
    line, buffer = _shown(reader, line, permit, ctx.settings.max_capture)
    return BufferDetail(
        **buffer.model_dump(),
        spans=[SpanView.model_validate(span) for span in line.spans],
        gaps=[GapView.model_validate(gap) for gap in line.gaps],
        markers=await marker_routes.of_buffer(ctx, caller, line.buffer_id, share, now),
    )


@endpoint(
    "DELETE /buffers/{buffer_id}",
    "Delete what is kept of one's share up to now",
    description="Acts at once: captures of it are cancelled, and nothing of it is shown. "
    "Its files go within seconds. Clips made before stay.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is gone.")},
    problems=[NotFound, NotPermitted],
)
async def delete_buffer(call: Call[None]) -> None:
    """If it is the caller's."""
    row = await share_lookup.seen(call, call.path["buffer_id"])
    if not policy.may_erase(call.caller, visibility.share_of(row)):
        raise NotPermitted(
            f"only {row['identity']!r}, whose share it is, and the admins of the instance may "
            "delete it"
        )
    await share_erasure.erase_share(call.ctx, call.caller, row)
    call.state.generations.forget([row["identity"]])


async def views(
    state: WebState, caller: Caller, lines: Sequence[Timeline], now: datetime
) -> list[BufferView]:
    """Buffers that the caller may see, as they are shown them."""
    ctx = state.ctx
    reader = await auth.reader_of(state, caller, now)
    readers = await auth.readers_of_shares(state, reader, {line.identity for line in lines})
    shares = [visibility.share_in(line) for line in lines]
    permits = await visibility.permits(ctx.store, ctx.settings, caller, shares)
    longest = ctx.settings.max_capture
    return [
        _shown(readers[line.identity], line, permit, longest)[1]
        for line, permit in zip(lines, permits, strict=True)
    ]


def _shown(
    reader: auth.Reader, line: Timeline, permit: Permit, longest: timedelta
) -> tuple[Timeline, BufferView]:
    """A share as far as the reader may watch it, if they may."""
    if permit.stays is not None:
        line = witnessed.witnessed(line, permit.stays)
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
            return dict.fromkeys(("playlist_url", "replay_url", "poster", "thumbnails"))
        window = share_lookup.query_of(permit.of(line.oldest, line.newest))
    last = {"last": f"{longest.total_seconds():g}"}
    return {
        "playlist_url": reader.url(f"{path}/playlist.m3u8", **window),
        "replay_url": reader.url(f"{path}/replay.mp4", **(window or last)),
        "poster": reader.url(f"{path}/poster.jpg", **window),
        "thumbnails": reader.url(f"{path}/thumbnails.vtt", **window),
    }


def _view(line: Timeline, urls: dict[str, str | None]) -> BufferView:
    return BufferView(
        id=line.buffer_id,
        room=line.room,
        identity=line.identity,
        state=line.state,
        why=line.why,
        why_detail=line.why_detail,
        retry_at=line.retry_at,
        since=line.since,
        ended_at=line.ended_at,
        oldest=line.oldest,
        newest=line.newest,
        seconds=line.seconds,
        audio=line.audio,
        sessions=list(line.session_ids),
        clock=line.clock,
        **urls,
    )


routes: list[BaseRoute] = [list_buffers, get_buffer, delete_buffer]
