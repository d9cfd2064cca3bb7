"""All shares of a room at once: /rooms/{room}."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import buffer_views, wire
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.room_views import RoomTimeline
from app.errors import Invalid, NotFound
from app.models.input_types import Name
from app.viewing import room_shares

RoomSidGiven = Annotated[
    Name | None,
    Field(
        description="Only of the room with this id. Without: of rooms that had the name one after "
        "another the one of the newest share that the caller may see.",
        examples=["RM_x1"],
    ),
]


class RoomQuery(wire.Input):
    """Which of the rooms that have had the name."""

    room_sid: RoomSidGiven = None


@endpoint(
    "GET /rooms/{room}/timeline",
    "The shares of a room, on one clock",
    description="Each with its state, its spans and gaps, and the URLs that play it, as the list "
    "of buffers and `GET /buffers/{buffer_id}` show it: nobody sees more by this. Shares that have "
    "ended are there as long as something of them is kept.",
    answers={HTTPStatus.OK: Answer("The room's shares.")},
    problems=[Invalid, NotFound],
)
async def get_room_timeline(call: Call[RoomQuery]) -> RoomTimeline:
    """Gives all buffers of a room that the caller may see, with their timelines."""
    ctx, caller, now, room = call.ctx, call.caller, call.now, call.name("room")
    seen = await visibility.scope(ctx.store, ctx.settings, caller)
    found = await room_shares.read(ctx.store, ctx.settings, seen, room, call.input.room_sid, now)
    if found is None:
        raise NotFound(f"there is no share in the room {room!r}, or none that is yours to see")
    return RoomTimeline(
        room=room,
        room_sid=found.room_sid,
        now=now,
        items=await buffer_views.timelines(call.state, caller, found.lines, now),
        complete=found.complete,
    )


routes: list[BaseRoute] = [get_room_timeline]
