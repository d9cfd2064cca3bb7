"""What administrators of the instance look at: /audit and /events."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import audit, management
from app.api import auth, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input, InstantText, View
from app.captures.requests import Instant
from app.errors import NotFound, NotPermitted
from app.events import sender


class AuditView(View):
    """Who did what to what, and when."""

    id: str
    at: InstantText
    identity: str
    action: str
    subject: str
    room: str
    data: dict[str, Any]


class AuditPage(View):
    """Entries, newest first."""

    items: list[AuditView]
    next: str | None


class AuditQuery(Input):
    """Which entries."""

    identity: Annotated[str, Field(max_length=512)] | None = Field(
        None, description="Only what they did; empty: what the service did by itself."
    )
    action: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Only this."
    )
    subject: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None, description="Only what was done to this: an id, an identity or a community."
    )
    since: Instant | None = Field(None, description="Only from this time on.")
    until: Instant | None = Field(None, description="Only before this time.")
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    next: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Where the page before ended."
    )


class EventView(View):
    """One of our events on its way, or given up."""

    id: str
    event: str
    room: str
    number: int
    state: str
    attempts: int
    last_error: str
    created_at: InstantText
    next_try_at: InstantText


class EventPage(View):
    """Events, in the order in which they are, or were last, to be tried."""

    items: list[EventView]
    next: str | None


class EventQuery(Input):
    """Which events: given up, or still on their way."""

    state: Literal["dead", "pending"] = "dead"
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    next: Annotated[str, Field(max_length=600)] | None = Field(
        None, description="Where the page before ended."
    )


@described(
    Operation(
        summary="Who did what",
        answers={HTTPStatus.OK: Answer("A page of entries.", AuditPage)},
        problems=[NotPermitted],
        query=AuditQuery,
    )
)
async def get_audit(request: Request) -> Response:
    """GET /audit"""
    ctx = web_state.of(request).ctx
    management.check_admin(auth.caller(request))
    asked = wire.query(request, AuditQuery)
    wanted = {"identity": asked.identity, "action": asked.action, "subject": asked.subject}
    rows, following = await audit.page(
        ctx.store,
        {field: value for field, value in wanted.items() if value is not None},
        since=asked.since,
        until=asked.until,
        limit=asked.limit,
        after=asked.next,
    )
    items = [AuditView.model_validate({**row, "id": row["_id"]}) for row in rows]
    return wire.answer(AuditPage(items=items, next=following))


@described(
    Operation(
        summary="Events that nobody took",
        answers={HTTPStatus.OK: Answer("The events.", EventPage)},
        problems=[NotPermitted],
        query=EventQuery,
    )
)
async def get_events(request: Request) -> Response:
    """GET /events"""
    ctx = web_state.of(request).ctx
    management.check_admin(auth.caller(request))
    asked = wire.query(request, EventQuery)
    rows, following = await sender.page(ctx, asked.state, limit=asked.limit, after=asked.next)
    items = [EventView.model_validate({**row, "id": row["_id"]}) for row in rows]
    return wire.answer(EventPage(items=items, next=following))


@described(
    Operation(
        summary="Send a dead event again",
        description="It is tried for another day.",
        answers={HTTPStatus.ACCEPTED: Answer("It is on its way.")},
        problems=[NotPermitted, NotFound],
    )
)
async def send_event(request: Request) -> Response:
    """POST /events/{event_id}/send"""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    management.check_admin(caller)
    event_id = request.path_params["event_id"]
    if not await sender.send_again(ctx, event_id):
        raise NotFound(f"there is no dead event {event_id!r}")
    await audit.note(ctx.store, caller.identity, "event_sent_again", event_id)
    return Response(status_code=HTTPStatus.ACCEPTED)


routes: list[BaseRoute] = [
    Route("/audit", get_audit, methods=["GET"]),
    Route("/events", get_events, methods=["GET"]),
    Route("/events/{event_id}/send", send_event, methods=["POST"]),
]
