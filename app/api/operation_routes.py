"""What administrators of the instance look at: /audit and /events."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import audit
from app.api import gates
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, InstantText, View
from app.captures.requests import Instant
from app.errors import NotFound
from app.events import sender
from app.models import AuditAction, EventState


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

    state: Literal[EventState.DEAD, EventState.PENDING] = EventState.DEAD
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    next: Annotated[str, Field(max_length=600)] | None = Field(
        None, description="Where the page before ended."
    )


@endpoint(
    "GET /audit",
    "Who did what",
    answers={HTTPStatus.OK: Answer("A page of entries.")},
    may=gates.admins,
)
async def get_audit(call: Call[AuditQuery]) -> AuditPage:
    """A page of it."""
    given = call.input
    wanted = {"identity": given.identity, "action": given.action, "subject": given.subject}
    page = await audit.page(
        call.ctx.store,
        {field: value for field, value in wanted.items() if value is not None},
        since=given.since,
        until=given.until,
        limit=given.limit,
        after=given.next,
    )
    return AuditPage(items=[AuditView.of_row(row) for row in page.items], next=page.next)


@endpoint(
    "GET /events",
    "Events that nobody took",
    answers={HTTPStatus.OK: Answer("The events.")},
    may=gates.admins,
)
async def get_events(call: Call[EventQuery]) -> EventPage:
    """A page of them."""
    given = call.input
    page = await sender.page(call.ctx, given.state, limit=given.limit, after=given.next)
    return EventPage(items=[EventView.of_row(row) for row in page.items], next=page.next)


@endpoint(
    "POST /events/{event_id}/send",
    "Send a dead event again",
    description="It is tried for another day.",
    answers={HTTPStatus.ACCEPTED: Answer("It is on its way.")},
    problems=[NotFound],
    may=gates.admins,
)
async def send_event(call: Call[None]) -> None:
    """Gives it another day."""
    event_id = call.path["event_id"]
    if not await sender.send_again(call.ctx, event_id):
        raise NotFound(f"there is no dead event {event_id!r}")
    await audit.note(call.ctx.store, call.caller.identity, AuditAction.EVENT_SENT_AGAIN, event_id)


routes: list[BaseRoute] = [get_audit, get_events, send_event]
