"""Rooms that belong to a community whatever is said in them: /communities/{community}/rooms/…"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import admin_deeds
from app.api import gates
from app.api.call import Call
from app.api.json_types import CommunityName, RoomName
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import View
from app.errors import Invalid, NotFound


class AssignedView(View):
    """A name of rooms, and the community that they are assigned to."""

    room: RoomName
    community: CommunityName = Field(description="Whose they are.")


# A community's own admins may not: they would draw rooms of others into it.
_endpoint = partial(endpoint, may=gates.admins, problems=[NotFound, Invalid])


@_endpoint(
    "PUT /communities/{community}/rooms/{room}",
    "Assign a room to a community",
    description="By name, for admins of the instance: shares that begin from now on in rooms of "
    "this name belong to this community and to no other one, whatever the rooms and their people "
    "say. A community that is not there yet is made.",
    answers={HTTPStatus.OK: Answer("It is assigned.")},
    kept=Kept.RULE,
)
async def assign_room(call: Call[None]) -> AssignedView:
    """Assigns a room to the community, in place of the one that it had."""
    store, community, room = call.ctx.store, call.name("community"), call.name("room")
    await admin_deeds.assign_room(store, call.caller.identity, room, community)
    return AssignedView(room=room, community=community)


@_endpoint(
    "DELETE /communities/{community}/rooms/{room}",
    "Take a room from a community",
    description="Then COMMUNITY_CLAIMS says again where shares that begin in it belong.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is not assigned to it any more.")},
    kept=Kept.RULE,
)
async def release_room(call: Call[None]) -> None:
    """Releases a room, if it is assigned to the community."""
    store, community, room = call.ctx.store, call.name("community"), call.name("room")
    if not await admin_deeds.release_room(store, call.caller.identity, room, community):
        raise NotFound(f"{room!r} is not assigned to {community!r}")


routes: list[BaseRoute] = [assign_room, release_room]
