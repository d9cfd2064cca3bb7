"""All shares of a room at once: /rooms/{room}."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from starlette.routing import BaseRoute

from app.access import visibility
from app.api import buffer_views, rate_limits, room_views, wire
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.room_views import MomentAccepted, RoomTimeline
from app.api.token_buckets import Kept
from app.api.wire import IDEMPOTENCY_KEY
from app.captures import moments
from app.captures.moment_request import MomentRequest, RoomSidGiven
from app.errors import (
    BufferEmpty,
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    TooManyCaptures,
    WindowTooLong,
)
from app.viewing import room_shares


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
        raise room_shares.none_seen(room)
    return RoomTimeline(
        room=room,
        room_sid=found.room_sid,
        now=now,
        items=await buffer_views.timelines(call.state, caller, found.lines, now),
        complete=found.complete,
    )


@endpoint(
    "POST /rooms/{room}/captures",
    "Capture one moment of all shares of a room",
    description="A capture of each share that went on in the window, as `POST /captures` makes it, "
    "with the same rights, limits and costs; their clips have the same `moment_id`. Those that "
    "can't be had are told with the reason; where none can be, that of the first is the answer.",
    answers={HTTPStatus.ACCEPTED: Answer("They will be made.")},
    problems=[
        BufferEmpty,
        Conflict,
        Invalid,
        NotFound,
        NotPermitted,
        QuotaExceeded,
        TooManyCaptures,
        WindowTooLong,
    ],
    headers={
        IDEMPOTENCY_KEY: "The same key within 24 h gives the same captures, and tries those again "
        "that could not be had: 1 to 200 visible ASCII characters."
    },
    kept=Kept.CAPTURE,
)
async def create_room_captures(call: Call[MomentRequest]) -> MomentAccepted:
    """Accepts a capture of each share of a room, or gives those accepted under the same key."""
    room = call.name("room")
    found = await moments.accept(
        call.ctx,
        call.caller,
        room,
        call.input,
        call.idempotency_key,
        count=partial(rate_limits.count_kept, call, Kept.CAPTURE),
    )
    return await room_views.moment_accepted(call, room, found)


routes: list[BaseRoute] = [get_room_timeline, create_room_captures]
