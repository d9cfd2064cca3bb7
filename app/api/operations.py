"""What administrators of the instance look at: /audit and /events."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app import delivery
from app.access import audit, managing
from app.api import auth, wire
from app.api.openapi import Answer, Operation, described
from app.api.wire import Asked, Instant, Told
from app.context import Context
from app.errors import NotFound, NotPermitted
from app.models import OutgoingEvent


class AuditTold(Told):
    """Who did what to what, and when."""

    id: str
    at: Instant
    identity: str
    action: str
    subject: str
    room: str
    data: dict[str, Any]


class AuditPage(Told):
    """Entries, newest first."""

    items: list[AuditTold]
    next: str | None


class AuditAsked(Asked):
    """Which entries."""

    identity: Annotated[str, Field(max_length=512)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    next: Annotated[str, Field(max_length=200)] | None = None


class EventTold(Told):
    """One of our events on its way, or given up."""

    id: str
    event: str
    room: str
    number: int
    state: str
    attempts: int
    last_error: str
    created_at: Instant
    next_try_at: Instant


class EventPage(Told):
    """Events, oldest first, at most 200."""

    items: list[EventTold]
    next: None = None


class EventsAsked(Asked):
    """Which events: given up, or still on their way."""

    state: Literal["dead", "pending"] = "dead"


_MOST_EVENTS = 200


@described(
    Operation(
        summary="Who did what",
        answers={HTTPStatus.OK: Answer("A page of entries.", AuditPage)},
        problems=[NotPermitted],
        query=AuditAsked,
    )
)
async def get_audit(request: Request) -> Response:
    """GET /audit"""
    ctx: Context = request.app.state.ctx
    managing.check_admin(auth.caller(request))
    asked = wire.query(request, AuditAsked)
    rows, following = await audit.page(
        ctx.store, identity=asked.identity, limit=asked.limit, after=asked.next
    )
    items = [AuditTold.model_validate({**row, "id": row["_id"]}) for row in rows]
    return wire.answer(AuditPage(items=items, next=following))


@described(
    Operation(
        summary="Events that nobody took",
        answers={HTTPStatus.OK: Answer("The events.", EventPage)},
        problems=[NotPermitted],
        query=EventsAsked,
    )
)
async def get_events(request: Request) -> Response:
    """GET /events"""
    ctx: Context = request.app.state.ctx
    managing.check_admin(auth.caller(request))
    asked = wire.query(request, EventsAsked)
    rows = (
        await ctx.store.rows(OutgoingEvent)
        .find({"state": asked.state}, {"data": 0})
        .sort("next_try_at", 1)
        .limit(_MOST_EVENTS)
        .to_list(_MOST_EVENTS)
    )
    items = [EventTold.model_validate({**row, "id": row["_id"]}) for row in rows]
    return wire.answer(EventPage(items=items))


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
    ctx: Context = request.app.state.ctx
    caller = auth.caller(request)
    managing.check_admin(caller)
    event_id = request.path_params["event_id"]
    if not await delivery.send_again(ctx, event_id):
        raise NotFound(f"there is no dead event {event_id!r}")
    await audit.note(ctx.store, caller.identity, "event_sent_again", event_id)
    return Response(status_code=HTTPStatus.ACCEPTED)


routes: list[BaseRoute] = [
    Route("/audit", get_audit, methods=["GET"]),
    Route("/events", get_events, methods=["GET"]),
    Route("/events/{event_id}/send", send_event, methods=["POST"]),
]
