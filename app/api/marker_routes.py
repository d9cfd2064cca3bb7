"""Moments of a share that somebody marked, to cut them later: /buffers/{id}/markers."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from pydantic import ConfigDict, Field, field_validator
from starlette.routing import BaseRoute

from app.access import policy, visibility
from app.access.policy import Share
from app.access.tokens import Caller
from app.api import gates, share_lookup
from app.api.call import Call
from app.api.json_types import Id, Identity, InstantText, Title
from app.api.operation import Answer, endpoint
from app.api.wire import IDEMPOTENCY_KEY, Input, View
from app.buffer import markers
from app.buffer.markers import TooManyMarkers
from app.captures import ended_by_others
from app.context import Context
from app.errors import BufferEmpty, Conflict, Invalid, NotFound, NotPermitted
from app.models import same_request
from app.models.free_text import TITLE_LENGTH, checked_title
from app.models.input_types import Instant
from app.models.intervals import Interval
from app.viewing import mark_moment

_MOMENT = timedelta(milliseconds=1)


class MarkerView(View):
    """A marked moment. What is around it is kept until `kept_until`."""

    id: Id = Field(description="Names it in paths.")
    buffer_id: Id = Field(description="The share that it is a moment of.")
    at: InstantText = Field(description="The moment.")
    label: Title = Field(description="One line; may be empty.")
    marked_by: Identity = Field(description="Who marked it.", alias="by")
    created_at: InstantText = Field(description="When it was marked.")
    kept_until: InstantText = Field(description="Until then what is around it stays.")


class MarkerList(View):
    """All markers of a share that the caller may see."""

    items: list[MarkerView] = Field(description="In the order of their moments.")


class MarkerRequest(Input):
    """Which moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "That goal"}, {}]})

    at: Instant | None = Field(
        None, description="Default: now, or the end of a share that is over."
    )
    label: str = Field(
        "",
        description=f"One line, at most {TITLE_LENGTH} characters.",
        examples=["That goal"],
    )

    @field_validator("label")
    @classmethod
    def _label(cls, value: str) -> str:
        return checked_title(value)


@endpoint(
    "POST /buffers/{buffer_id}/markers",
    "Mark a moment, to cut it later",
    description="The 60 s before it and the 15 s after it stay to be watched and captured until "
    "MARKER_MINUTES after the moment, however late or often it is marked. Whoever may capture the "
    "moment may mark it.",
    answers={HTTPStatus.CREATED: Answer("It is marked.")},
    problems=[BufferEmpty, Conflict, Invalid, NotPermitted, TooManyMarkers],
    may=gates.viewers,
    headers={
        IDEMPOTENCY_KEY: "The same key gives the same marker, as long as it is there; with another "
        "body it is 409. 1 to 200 visible ASCII characters."
    },
    body_may_be_empty=True,
)
async def create_marker(call: Call[MarkerRequest]) -> MarkerView:
    """Sets a marker, if the caller may capture the moment and the buffer holds it."""
    ctx, caller, now = call.ctx, call.caller, call.now
    line = await share_lookup.seen_timeline(call)
    share = visibility.share_in(line)
    at = call.input.at or mark_moment.present(line, now)
    # First whether they may at all: where the buffer ends is not told to who may not watch it.
    await visibility.check(ctx.store, ctx.settings, caller, share, *_moment(min(at, now)))
    mark_moment.check_within(line, at, now, ctx.settings.marks_keep)
    row = await markers.make(
        ctx,
        line.buffer_id,
        at,
        call.input.label,
        caller.identity,
        key=call.idempotency_key,
        request_hash=same_request.hash_of(call.input, "marker"),
    )
    return MarkerView.of_row(row)


@endpoint(
    "GET /buffers/{buffer_id}/markers",
    "The marked moments of a share",
    description="Those that the caller may capture, or has marked.",
    answers={HTTPStatus.OK: Answer("The markers.")},
    problems=[NotFound],
)
async def list_markers(call: Call[None]) -> MarkerList:
    """Lists all markers of a buffer at once."""
    _, seen = await _seen(call)
    return MarkerList(items=seen)


@endpoint(
    "DELETE /buffers/{buffer_id}/markers/{marker_id}",
    "Delete a marker",
    description="Who set it may, the sharer, and admins of the room and of the instance.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is gone.")},
    problems=[NotFound, NotPermitted],
)
async def delete_marker(call: Call[None]) -> None:
    """Deletes a marker that the caller sees."""
    share, seen = await _seen(call)
    marker = next((each for each in seen if each.id == call.path["marker_id"]), None)
    if marker is None:
        raise NotFound("there is no such marker, or it is not yours to see")
    admin = await visibility.administers(call.ctx.store, call.caller, share)
    if not policy.may_delete_marker(call.caller, share, marker.marked_by, room_admin=admin):
        raise NotPermitted(
            f"only {marker.marked_by!r}, who set it, {share.identity!r}, whose share it is, and "
            "the admins of its room or the instance may delete it"
        )
    await ended_by_others.delete_marker(call.ctx, call.caller, marker.id, share, marker.marked_by)


async def _seen(call: Call[None]) -> tuple[Share, list[MarkerView]]:
    """The share that is meant, and its markers that the caller sees."""
    buffer = await share_lookup.seen(call, call.path["buffer_id"])
    share = visibility.share_of(buffer)
    return share, await of_buffer(call.ctx, call.caller, buffer["_id"], share, call.now)


async def of_buffer(
    ctx: Context, caller: Caller, buffer_id: str, share: Share, now: datetime
) -> list[MarkerView]:
    """The markers of a share that the caller, who sees it, may see."""
    rows = await markers.of_buffer(ctx.store, buffer_id, now)
    if not rows:
        return []
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    return [
        MarkerView.of_row(row)
        for row in rows
        if policy.may_see_marker(caller, row["by"], captures=bool(permit.of(*_moment(row["at"]))))
    ]


def _moment(at: datetime) -> Interval:
    return at, at + _MOMENT


routes: list[BaseRoute] = [list_markers, create_marker, delete_marker]
