"""What is kept of the shares: /buffers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import visibility
from app.access.tokens import Caller
from app.api import auth, wire
from app.api.openapi import Answer, Operation, described
from app.api.wire import Instant, Seconds
from app.buffer import cleanup, timeline
from app.buffer.timeline import Timeline
from app.clips import endings
from app.clips.requests import Instant as AskedInstant
from app.clips.requests import Name
from app.clips.requests import Seconds as AskedSeconds
from app.context import Context
from app.errors import Gone, NotFound, NotPermitted
from app.models import Buffer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BufferTold(wire.Told):
    """A share and what is kept of it. Its URLs need no token, for a while."""

    id: str
    room: str
    identity: str = Field(description="Whose screen it is.")
    state: str = Field(
        description="`waiting`, `starting`, `recording`, `lagging`, `stalled`, `ended`, `refused`"
    )
    why: str | None = Field(description="A slug that tells why nothing is recorded.")
    why_detail: str
    retry_at: Instant | None = Field(description="When a start is tried again.")
    since: Instant = Field(description="When the share began.")
    ended_at: Instant | None
    oldest: Instant | None = Field(description="The first moment that a capture may begin at.")
    newest: Instant | None = Field(description="The end of the newest media.")
    seconds: Seconds = Field(description="How much media there is.")
    audio: bool
    sessions: list[str]
    clock: str = Field(description="`exact`, or `approximate`: up to 2 s off.")
    playlist_url: str
    replay_url: str


class SpanTold(wire.Told):
    """A stretch of media without a hole."""

    start: Instant
    end: Instant
    session: str
    audio: bool
    width: int
    height: int


class GapTold(wire.Told):
    """A stretch of which nothing can be shown, and a slug that tells why."""

    start: Instant
    end: Instant
    why: str


class BufferDetail(BufferTold):
    """A share with its timeline."""

    spans: list[SpanTold]
    gaps: list[GapTold]


class BufferPage(wire.Told):
    """Buffers, newest share first. `next` asks for the following ones; null at the end."""

    items: list[BufferTold]
    next: str | None


class BufferQuery(wire.Asked):
    """Which buffers."""

    room: Name | None = Field(None, description="Only of this room.")
    identity: Name | None = Field(None, description="Only of this sharer.")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    next: Annotated[str, Field(pattern=r"^\d{1,14}-[0-9a-f]{24}$")] | None = Field(
        None, description="Where the page before ended."
    )


class WindowQuery(wire.Asked):
    """Which part of a buffer: `last` seconds, or from `start` to `end`."""

    last: Annotated[AskedSeconds, Field(gt=0)] | None = None
    start: AskedInstant | None = None
    end: AskedInstant | None = None


@described(
    Operation(
        summary="The buffers that the caller may see",
        answers={HTTPStatus.OK: Answer("A page of buffers.", BufferPage)},
        query=BufferQuery,
    )
)
async def list_buffers(request: Request) -> Response:
    """GET /buffers"""
    ctx, caller, now = _asked(request)
    asked = wire.query(request, BufferQuery)
    wanted = {"room": asked.room, "identity": asked.identity}
    conditions: list[dict[str, Any]] = [
        visibility.scope(caller),
        {field: value for field, value in wanted.items() if value is not None},
        {} if asked.next is None else _after(asked.next),
    ]
    rows = ctx.store.rows(Buffer).find({"$and": conditions}, {"since": 1})
    found = await rows.sort([("since", -1), ("_id", -1)]).to_list(asked.limit + 1)
    ids = [row["_id"] for row in found[: asked.limit]]
    lines = await timeline.listing(
        ctx.store, {"_id": {"$in": ids}}, now, ctx.settings, limit=len(ids)
    )
    reader = auth.reader_of(ctx, caller, now)
    lines.sort(key=lambda line: ids.index(line.buffer_id))
    items = [BufferTold.model_validate(_told(ctx, line, reader)) for line in lines]
    further = _cursor(found[asked.limit - 1]) if len(found) > asked.limit else None
    return wire.answer(BufferPage(items=items, next=further))


def _cursor(row: dict[str, Any]) -> str:
    return f"{(row['since'] - _EPOCH) // timedelta(milliseconds=1)}-{row['_id']}"


def _after(cursor: str) -> dict[str, Any]:
    milliseconds, _, buffer_id = cursor.partition("-")
    since = _EPOCH + timedelta(milliseconds=int(milliseconds))
    return {"$or": [{"since": {"$lt": since}}, {"since": since, "_id": {"$lt": buffer_id}}]}


@described(
    Operation(
        summary="A buffer and its timeline",
        answers={HTTPStatus.OK: Answer("The buffer.", BufferDetail)},
        problems=[NotFound],
    )
)
async def get_buffer(request: Request) -> Response:
    """GET /buffers/{buffer_id}"""
    ctx, caller, now = _asked(request)
    reader = auth.reader_of(ctx, caller, now)
    line = await seen_timeline(ctx, reader, request.path_params["buffer_id"], now)
    spans = [
        SpanTold(
            start=span.start,
            end=span.end,
            session=span.session_id,
            audio=span.audio,
            width=span.width,
            height=span.height,
        )
        for span in line.spans
    ]
    gaps = [GapTold(start=gap.start, end=gap.end, why=gap.why) for gap in line.gaps]
    told = _told(ctx, line, reader)
    return wire.answer(BufferDetail.model_validate(told | {"spans": spans, "gaps": gaps}))


@described(
    Operation(
        summary="Delete what is kept of one's share up to now",
        description="Acts at once: captures of it are cancelled. Clips made before stay.",
        answers={HTTPStatus.NO_CONTENT: Answer("It is gone.")},
        problems=[NotFound, NotPermitted],
    )
)
async def delete_buffer(request: Request) -> Response:
    """DELETE /buffers/{buffer_id}"""
    ctx, caller, _ = _asked(request)
    found = await seen(ctx, caller, request.path_params["buffer_id"])
    if not visibility.may_forget(caller, room=found["room"], identity=found["identity"]):
        raise NotPermitted(f"only {found['identity']!r}, whose share it is, may delete it")
    await endings.cancel_all_of(ctx, found["_id"])
    await cleanup.forget_buffer(ctx, found["_id"])
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def seen(ctx: Context, caller: Caller, buffer_id: str) -> dict[str, Any]:
    """A buffer's row. Raises NotFound if there is none, or none that the caller may see."""
    row = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    if row is None or not visibility.may_see(caller, room=row["room"], identity=row["identity"]):
        raise NotFound("there is no such buffer, or it is not yours to see")
    return row


async def seen_timeline(
    ctx: Context, reader: auth.Reader, buffer_id: str, now: datetime
) -> Timeline:
    """A buffer's timeline.

    Raises NotFound as `seen` does; Gone if a signature says that the buffer once was there.
    """
    line = await timeline.read(ctx.store, buffer_id, now, ctx.settings)
    caller = reader.caller
    if caller is None:
        if line is None:
            raise Gone("nothing is kept of this share any more")
        return line
    if line is None or not visibility.may_see(caller, room=line.room, identity=line.identity):
        raise NotFound("there is no such buffer, or it is not yours to see")
    return line


def _asked(request: Request) -> tuple[Context, Caller, datetime]:
    return request.app.state.ctx, auth.caller(request), datetime.now(UTC)


def _told(ctx: Context, line: Timeline, reader: auth.Reader) -> dict[str, Any]:
    longest = f"{ctx.settings.max_capture.total_seconds():g}"
    path = f"/buffers/{line.buffer_id}"
    return {
        "id": line.buffer_id,
        "room": line.room,
        "identity": line.identity,
        "state": line.state,
        "why": line.why,
        "why_detail": line.why_detail,
        "retry_at": line.retry_at,
        "since": line.since,
        "ended_at": line.ended_at,
        "oldest": line.oldest,
        "newest": line.newest,
        "seconds": line.seconds,
        "audio": line.audio,
        "sessions": list(line.session_ids),
        "clock": line.clock,
        "playlist_url": reader.url(f"{path}/playlist.m3u8"),
        "replay_url": reader.url(f"{path}/replay.mp4", last=longest),
    }


routes: list[BaseRoute] = [
    Route("/buffers", list_buffers, methods=["GET"]),
    Route("/buffers/{buffer_id}", get_buffer, methods=["GET"]),
    Route("/buffers/{buffer_id}", delete_buffer, methods=["DELETE"]),
]
