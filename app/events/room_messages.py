"""What of our events is said into a live room, as data messages, and to whom.

A room is its sid: whoever is in a later room of the same name hears nothing of an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from livekit.protocol.models import ParticipantInfo, Room

from app.access import policy
from app.access.policy import ClipRight, OwnedClip
from app.access.tokens import Caller
from app.context import Context
from app.events import event_bodies
from app.models import ClipRow, EventName, EventRow, SharerRights
from app.models.schema import ReplayClip

_OF_A_BUFFER = frozenset({"buffer_id", "community"})
_OF_A_CLIP = frozenset({"clip_id", "file_id", "title", "shared_by", "duration", "community"})
_OF_AN_OWNER = frozenset({"clip_id", "buffer_id", "title", "shared_by", "community"})
SAID: dict[str, frozenset[str]] = {
    EventName.BUFFER_STARTED: _OF_A_BUFFER,
    EventName.BUFFER_ENDED: _OF_A_BUFFER,
    EventName.BUFFER_ENCODING: _OF_A_BUFFER | {"encoding", "why"},
    EventName.BUFFER_ERASED: _OF_A_BUFFER | {"erased_by", "start", "end"},
    EventName.CAPTURE_READY: _OF_A_CLIP | {"capture_id", "buffer_id"},
    EventName.SCREEN_CAPTURED: _OF_A_BUFFER | {"clip_id", "captured_by", "start", "end"},
    EventName.CLIP_SHARED: _OF_A_CLIP,
    EventName.CLIP_WITHDRAWN: _OF_AN_OWNER | {"withdrawn_by", "loss"},
    EventName.DELETION_REQUESTED: _OF_AN_OWNER | {"requested_by", "reason"},
}
"""By event: what of it rooms hear. Where a clip is posted, and with which words, is the chat's."""


class LiveRooms(Protocol):
    """LiveKit, which knows rooms by their names."""

    async def room(self, name: str) -> Room | None: ...
    async def participants(self, room: str) -> list[ParticipantInfo]: ...
    async def say(self, room: str, identities: Sequence[str], data: bytes) -> None: ...


async def say(ctx: Context, rooms: LiveRooms, row: EventRow) -> None:
    """Says an event into the room that it belongs to, to those there who may know of it.

    Who is not there has missed it. Raises Unavailable.
    """
    if row["event"] not in SAID:
        return
    clip: ClipRow | None = None
    if row["event"] == EventName.CLIP_SHARED:
        clip = await ctx.store.rows(ReplayClip).find_one({"_id": row["data"]["clip_id"]})
    people = await _people(rooms, row)
    if identities := hearers(row, clip, people):
        data = json.dumps(event_bodies.like_livekit(row, SAID[row["event"]]))
        await rooms.say(row["room"], identities, data.encode())


async def _people(rooms: LiveRooms, row: EventRow) -> list[ParticipantInfo]:
    """Everybody in the room that an event belongs to; nobody if it is over."""
    people = await rooms.participants(row["room"])
    # Asked last: a sid never comes back, so the room that is live now is the one listed above.
    live = await rooms.room(row["room"])
    return people if live is not None and live.sid == row["room_sid"] else []


def hearers(row: EventRow, clip: ClipRow | None, people: Sequence[ParticipantInfo]) -> list[str]:
    """Who of those in the room hears an event. `clip`: the row of the one that is shared."""
    match row["event"]:
        case EventName.CLIP_SHARED:
            found = {each.identity for each in people if clip is not None and _reads(each, clip)}
        case EventName.BUFFER_STARTED | EventName.BUFFER_ENDED:
            found = {each.identity for each in people}
        case _:
            found = {each.identity for each in people if each.identity == row["identity"]}
    return sorted(found)


def _reads(person: ParticipantInfo, clip: ClipRow) -> bool:
    """Whether somebody who is in the clip's room may read it."""
    if person.kind != ParticipantInfo.Kind.STANDARD:
        return False
    subscribes = person.permission.can_subscribe
    caller = Caller(person.identity, room=clip["room"], can_subscribe=subscribes)
    owned = OwnedClip(
        owner=clip["owner"],
        sharer=clip["shared_by"],
        room=clip["room"],
        visibility=clip["visibility"],
        opened=clip["opened"],
    )
    rights = SharerRights.SEE  # whatever the rule, that much it gives
    right = policy.clip_right(caller, owned, in_room=True, live=True, sharer_rights=rights)
    return right >= ClipRight.READ and bool(clip["ready"]) and clip["deleted_at"] is None
