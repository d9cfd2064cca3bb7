"""Our own events on their way, or given up: /events."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import audit
from app.api import gates
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, InstantText, View
from app.errors import NotFound
from app.events import sender
from app.models import AuditAction, EventState


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


routes: list[BaseRoute] = [get_events, send_event]
