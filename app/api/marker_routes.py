"""Moments of a share that somebody marked, to cut them later: /buffers/{id}/markers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.api import auth, share_lookup, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import InstantText
from app.buffer import markers
from app.buffer.markers import TooManyMarkers
from app.captures.requests import Instant, checked_title
from app.context import Context
from app.errors import BufferEmpty, Invalid, NotFound, NotPermitted
from app.models import Row
from app.viewing import mark_moment

_MOMENT = timedelta(milliseconds=1)


class MarkerView(wire.View):
    """A marked moment. What is around it is kept until `kept_until`."""

    id: str
    buffer_id: str
    at: InstantText
    label: str
    by: str = Field(description="Who marked it.")
    created_at: InstantText
    kept_until: InstantText


class MarkerList(wire.View):
    """Markers, in order of their moments."""

    items: list[MarkerView]


class MarkerRequest(wire.Input):
    """Which moment."""

    at: Instant | None = Field(
        None, description="Default: now, or the end of a share that is over."
    )
    label: str = ""

    @field_validator("label")
    @classmethod
    def _label(cls, value: str) -> str:
        return checked_title(value)


@described(
    Operation(
        summary="Mark a moment, to cut it later",
        description="The 60 s before it and the 15 s after it stay to be watched and captured for "
        "MARKER_MINUTES. Whoever may capture the moment may mark it.",
        answers={HTTPStatus.CREATED: Answer("It is marked.", MarkerView)},
        problems=[BufferEmpty, Invalid, NotFound, NotPermitted, TooManyMarkers],
        body=MarkerRequest,
    )
)
async def post_marker(request: Request) -> Response:
    """POST /buffers/{buffer_id}/markers"""
    ctx, caller, now = _asked(request)
    reader = auth.reader_of(ctx, caller, now)
    line = await share_lookup.seen_timeline(ctx, reader, request.path_params["buffer_id"], now)
    asked = await wire.body(request, MarkerRequest, may_be_empty=True)
    share = visibility.share_in(line)
    at = asked.at or mark_moment.present(line, now)
    # First whether they may at all: where the buffer ends is not told to who may not watch it.
    await visibility.check(ctx.store, ctx.settings, caller, share, _window(min(at, now)))
    mark_moment.check_within(line, at, now)
    row = await markers.make(ctx, line.buffer_id, at, asked.label, caller.identity)
    return wire.answer(_told(row), HTTPStatus.CREATED)


@described(
    Operation(
        summary="The marked moments of a share",
        description="Those that the caller may capture, or has marked.",
        answers={HTTPStatus.OK: Answer("The markers.", MarkerList)},
        problems=[NotFound],
    )
)
async def list_markers(request: Request) -> Response:
    """GET /buffers/{buffer_id}/markers"""
    ctx, caller, now = _asked(request)
    buffer = await share_lookup.seen(ctx, caller, request.path_params["buffer_id"])
    found = await of_buffer(ctx, caller, buffer["_id"], visibility.share_of(buffer), now)
    return wire.answer(MarkerList(items=found))


@described(
    Operation(
        summary="Delete a marker",
        description="Who set it may, the sharer, and admins of the room and of the instance.",
        answers={HTTPStatus.NO_CONTENT: Answer("It is gone.")},
        problems=[NotFound, NotPermitted],
    )
)
async def delete_marker(request: Request) -> Response:
    """DELETE /buffers/{buffer_id}/markers/{marker_id}"""
    ctx, caller, now = _asked(request)
    buffer = await share_lookup.seen(ctx, caller, request.path_params["buffer_id"])
    share = visibility.share_of(buffer)
    marker_id = request.path_params["marker_id"]
    seen = await of_buffer(ctx, caller, buffer["_id"], share, now)
    found = next((each for each in seen if each.id == marker_id), None)
    if found is None:
        raise NotFound("there is no such marker, or it is not yours to see")
    admin = caller.instance_admin or caller.room_admin  # of this room: its share is seen
    if not admin and caller.identity not in (found.by, share.identity):
        raise NotPermitted(f"only {found.by!r}, who set it, or {share.identity!r} may delete it")
    await markers.delete(ctx.store, marker_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def of_buffer(
    ctx: Context, caller: Caller, buffer_id: str, share: Share, now: datetime
) -> list[MarkerView]:
    """The markers of a share that the caller, who sees it, may see."""
    rows = await markers.of_buffer(ctx.store, buffer_id, now)
    asked = [(share, _window(row["at"])) for row in rows]
    rights: Sequence[Right] = (
        await visibility.rights(ctx.store, ctx.settings, caller, asked) if asked else []
    )
    return [
        _told(row)
        for row, right in zip(rows, rights, strict=True)
        if right >= Right.CAPTURE or row["by"] == caller.identity
    ]


def _window(at: datetime) -> visibility.Window:
    return at, at + _MOMENT


def _told(row: Row) -> MarkerView:
    return MarkerView.model_validate(row | {"id": row["_id"]})


def _asked(request: Request) -> tuple[Context, Caller, datetime]:
    return web_state.of(request).ctx, auth.caller(request), datetime.now(UTC)


_MARKERS = "/buffers/{buffer_id}/markers"
routes: list[BaseRoute] = [
    Route(_MARKERS, list_markers, methods=["GET"]),
    Route(_MARKERS, post_marker, methods=["POST"]),
    Route(_MARKERS + "/{marker_id}", delete_marker, methods=["DELETE"]),
]
