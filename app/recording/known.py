"""What is known of one participant in a room, and of all that decides on their shares: one read.

Whoever changes any of it asks for another reconcile. So it is read once in each, and carried on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.access import quota
from app.models import (
    BufferRow,
    CommunityRow,
    EncodingStepRow,
    MemberRow,
    ParticipantRow,
    QuotaRow,
    RoomRow,
    Row,
    SessionRole,
    SessionRow,
    TrackRow,
)
from app.models.schema import (
    AssignedRoom,
    Buffer,
    Community,
    EgressSession,
    EncodingStep,
    EventNumber,
    Member,
    Participant,
    Room,
    Track,
    UserReplayQuota,
)
from app.store import Store

AT_MOST = 2000
"""Rows of one kind that are looked at: anybody can publish and unpublish as often as they like."""

LAST_STEP = "last"
"""The id of the row that tells of the last step to a cheaper encoding, whosever share it was."""
_NAMING = ("room", "people", "assigned", "buffers")
"""What names communities."""


@dataclass(frozen=True)
class Known:
    """The rows that say what is, and what is allowed, of one participant's shares in a room.

    `tracks`, `sessions` (those that have a role) and `buffers` are of this room, `elsewhere` has
    their buffers in other ones. `people` are the connections that share, by sid. `communities` has
    those that one of these rows names, None where nobody has made it; `members` what they are in
    any. `last_number` is that of the room's events, as `event_numbers` has it. `last_step`: the
    last time that any share went on in a cheaper encoding.
    """

    room: RoomRow | None
    tracks: Sequence[TrackRow]
    people: Mapping[str, ParticipantRow]
    sessions: Sequence[SessionRow]
    buffers: list[BufferRow]
    elsewhere: Sequence[BufferRow]
    assigned: str | None
    communities: dict[str, CommunityRow | None]
    members: Mapping[str, MemberRow]
    quota: QuotaRow | None
    last_number: int
    last_step: EncodingStepRow | None

    def note_buffer(self, row: BufferRow) -> None:
        """Carries on the row of a buffer in this room, as it is or is about to be."""
        self.buffers[:] = [*(each for each in self.buffers if each["_id"] != row["_id"]), row]

    async def look_up(self, store: Store, community: str) -> None:
        """Reads of a community that no row here names."""
        if community not in self.communities:
            row = await store.rows(Community).find_one({"_id": community})
            self.communities[community] = row


async def read(store: Store, room_sid: str, identity: str) -> Known:
    """What is known of one participant in a room."""
    pipeline = _pipeline(room_sid, identity)
    (found,) = await (await store.database.aggregate(pipeline)).to_list()
    buffers: list[BufferRow] = found["buffers"]
    rows: dict[str, CommunityRow] = {row["_id"]: row for row in found["communities"]}
    (room,) = found["room"] or [None]
    (assigned,) = found["assigned"] or [None]
    (own_quota,) = found["quota"] or [None]
    (number,) = found["number"] or [None]
    (last_step,) = found["step"] or [None]
    return Known(
        room=room,
        tracks=found["tracks"],
        people={row["_id"]: row for row in found["people"]},
        sessions=found["sessions"],
        buffers=[row for row in buffers if row.get("room_sid") == room_sid],
        elsewhere=[row for row in buffers if row.get("room_sid") != room_sid],
        assigned=assigned and assigned["community"],
        communities={name: rows.get(name) for name in _names(found["wanted"])},
        members={row["community"]: row for row in found["members"]},
        quota=own_quota,
        last_number=number["number"] if number else 0,
        last_step=last_step,
    )


def _names(wanted: Collection[object]) -> set[str]:
    return {name for name in wanted if isinstance(name, str)}


def _pipeline(room_sid: str, identity: str) -> list[Row]:
    here, in_role = {"room_sid": room_sid}, {"role": {"$in": list(SessionRole)}}
    asked = {"identity": {"$literal": identity}, "room_sid": {"$literal": room_sid}}
    asked["last"] = {"$literal": LAST_STEP}
    return [
        {"$documents": [asked]},
        joined("room", Room, "_id", "room_sid"),
        joined("tracks", Track, "identity", "identity", _newest(here, "live", "published_at")),
        joined("sessions", EgressSession, "identity", "identity", [{"$match": here | in_role}]),
        joined("buffers", Buffer, "identity", "identity", _newest({}, "since")),
        joined("members", Member, "identity", "identity"),
        joined("quota", UserReplayQuota, "_id", "identity", [{"$project": quota.NUMBERS}]),
        {"$set": {"sids": _each("tracks", "participant_sid"), "names": _each("tracks", "room")}},
        joined("people", Participant, "_id", "sids"),
        joined("assigned", AssignedRoom, "_id", "names"),
        joined("number", EventNumber, "_id", "names"),
        joined("step", EncodingStep, "_id", "last"),
        {"$set": {"wanted": {"$concatArrays": [_each(rows, "community") for rows in _NAMING]}}},
        joined("communities", Community, "_id", "wanted"),
    ]


def _newest(which: Row, *order: str) -> list[Row]:
    """At most so many of the rows that match."""
    matching = [{"$match": which}] if which else []
    return [*matching, {"$sort": dict.fromkeys(order, -1)}, {"$limit": AT_MOST}]


def _each(rows: str, field: str) -> Row:
    """A field of each of the rows."""
    return {"$map": {"input": f"${rows}", "in": f"$$this.{field}"}}


def joined(name: str, model: Any, field: str, by: str, then: Sequence[Row] = ()) -> Row:
    """A stage of an aggregation: `name` becomes the rows of a model whose `field`, which an index
    begins with, is one of `by`."""
    join: Row = {"from": +model, "localField": by, "foreignField": field, "as": name}
    return {"$lookup": join | ({"pipeline": list(then)} if then else {})}
