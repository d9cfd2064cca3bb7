"""Our own events on their way, or given up: /events."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from starlette.routing import BaseRoute

from app.access import audit
from app.api import gates
from app.api.call import Call
from app.api.json_types import Count, Cursor, InstantText, NextPage, PageSize, RoomName
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import Input, View
from app.errors import NotFound
from app.events import sender
from app.events.outbox import NoEventsUrl
from app.models import AuditAction, EventName, EventRow, EventState
from app.models.word_schema import words


class DeliveryView(View):
    """How an event stands at one of its targets."""

    target: str = Field(
        description="Its name in EVENTS_TARGETS; `default`: EVENTS_URL.", examples=["default"]
    )
    state: Annotated[str, words(EventState)] = Field(
        description="Whether it was taken, was given up, or is still on its way."
    )
    attempts: Count = Field(description="How often it was tried.")
    last_error: str = Field(
        description="What the last try met; empty if nothing.", examples=["HTTP 502"]
    )


class EventView(View):
    """One of our events on its way, or given up."""

    id: str = Field(
        description="The same each time that it is sent.",
        examples=["clip_shared:5f0c2d9e8b7a4c31d2e6f901:3f1a"],
    )
    event: Annotated[str, words(EventName)] = Field(description="What it tells of.")
    room: RoomName = Field(description="The room that it belongs to; empty: none.")
    number: Count = Field(description="Its place among the room's events.")
    state: Annotated[str, words(EventState.DEAD, EventState.PENDING)] = Field(
        description="Whether it was given up, or is still on its way."
    )
    attempts: Count = Field(description="How often it was tried.")
    last_error: str = Field(
        description="What the last try met; empty if there was none.", examples=["HTTP 502"]
    )
    targets: list[DeliveryView] = Field(description="Who is to get it, and how that stands.")
    created_at: InstantText = Field(description="When it was told first, or sent again.")
    next_try_at: InstantText = Field(description="When it is, or was, to be tried next.")


class EventInFull(EventView):
    """One of our events, whatever became of it."""

    state: Annotated[str, words(EventState)] = Field(
        description="Whether all its targets took it, or it was given up, or is still on its way."
    )


class EventPage(View):
    """A page of events."""

    items: list[EventView] = Field(
        description="In the order in which they are, or were last, to be tried."
    )
    next: NextPage


class EventQuery(Input):
    """Which events: given up, or still on their way."""

    state: Literal[EventState.DEAD, EventState.PENDING] = Field(
        EventState.DEAD, description="Those that were given up, or those on their way."
    )
    limit: PageSize = 100
    next: Cursor = None


@endpoint(
    "GET /events",
    "Events given up, or on their way",
    description="Events that a target did not take for a day, or those that are still on their "
    "way. For admins of the instance.",
    answers={HTTPStatus.OK: Answer("The events.")},
    may=gates.admins,
)
async def list_events(call: Call[EventQuery]) -> EventPage:
    """Lists events of the service, a page at a time."""
    given = call.input
    page = await sender.page(call.ctx, given.state, limit=given.limit, after=given.next)
    items = [EventView.model_validate(_view(row)) for row in page.items]
    return EventPage(items=items, next=page.next)


@endpoint(
    "GET /events/{event_id}",
    "One event",
    description="How it stands at each target. Delivered ones go after 7 days, dead ones after 30. "
    "For admins of the instance.",
    answers={HTTPStatus.OK: Answer("The event.")},
    problems=[NotFound],
    may=gates.admins,
)
async def get_event(call: Call[None]) -> EventInFull:
    """Gives an event as it is now."""
    return _view(await sender.find(call.ctx, call.path["event_id"]))


class PingRequest(Input):
    """Who is to get a test event."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"target": "default"}]})

    target: str | None = Field(
        None,
        description="Its name in EVENTS_TARGETS; `default`: EVENTS_URL. None: every target.",
        examples=["default"],
    )


@endpoint(
    "POST /events/ping",
    "Send a test event",
    description="The event `ping`, which each target gets whatever events it wants. `GET "
    "/events/{event_id}` says what became of it. For admins of the instance.",
    answers={HTTPStatus.ACCEPTED: Answer("It is on its way.")},
    problems=[NotFound, NoEventsUrl],
    may=gates.admins,
    body_may_be_empty=True,
    kept=Kept.RULE,
)
async def send_test_event(call: Call[PingRequest]) -> EventInFull:
    """Sends a test event to each target, or to one."""
    identity, target = call.caller.identity, call.input.target
    row = await sender.ping(call.ctx, identity, target)
    action, names = AuditAction.EVENTS_TRIED, sorted(row["targets"])
    await audit.note(call.ctx.store, identity, action, row["_id"], targets=names)
    return _view(row)


@endpoint(
    "POST /events/{event_id}/send",
    "Send a dead event again",
    description="It is tried for another day.",
    answers={HTTPStatus.ACCEPTED: Answer("It is on its way.")},
    problems=[NotFound],
    may=gates.admins,
    kept=Kept.RULE,
)
async def send_event(call: Call[None]) -> None:
    """Gives an event another day to be delivered in."""
    event_id = call.path["event_id"]
    if not await sender.send_again(call.ctx, event_id):
        raise NotFound(f"there is no dead event {event_id!r}")
    await audit.note(call.ctx.store, call.caller.identity, AuditAction.EVENT_SENT_AGAIN, event_id)


def _view(row: EventRow) -> EventInFull:
    targets = [{**each, "target": name} for name, each in sorted(row["targets"].items())]
    return EventInFull.of_row({**row, "targets": targets})


routes: list[BaseRoute] = [list_events, send_test_event, get_event, send_event]
