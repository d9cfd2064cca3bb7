"""Facts: what LiveKit told us of rooms, people and shared tracks."""

from __future__ import annotations

from datetime import datetime

from odmantic import Field, Index, Model
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.models.fact_rows import ParticipantRow, RoomRow, TrackRow
from app.models.stored import Stored


class Room(Model, Stored[RoomRow]):
    """Fact: a room that LiveKit told of. One row per room sid, so a name may come again.

    `missing` counts the surveys in a row that did not list it.
    """

    model_config = {
        "collection": "rooms",
        "indexes": lambda: [
            IndexModel([("finished_at", ASCENDING)]),
            IndexModel([("name", ASCENDING)]),
        ],
    }

    sid: str = Field(primary_field=True)
    name: str = ""
    community: str = "default"
    finished_at: datetime | None = None
    missing: int = 0


class Participant(Model, Stored[ParticipantRow]):
    """Fact: one connection of somebody to a room. A re-join is another row.

    `unlisted_at`: since then surveys have not listed it, though nobody told of its end; listed
    again it is None again. `community`: the one that their token names.
    """

    model_config = {
        "collection": "participants",
        "indexes": lambda: [
            Index(Participant.room_sid, Participant.identity),
            IndexModel([("identity", ASCENDING), ("joined_at", DESCENDING)]),
            IndexModel([("left_at", ASCENDING), ("room_sid", ASCENDING)]),
        ],
    }

    sid: str = Field(primary_field=True)
    room_sid: str
    room: str
    identity: str
    joined_at: datetime | None = None
    left_at: datetime | None = None
    unlisted_at: datetime | None = None
    opted_out: bool = False
    community: str | None = None


class Track(Model, Stored[TrackRow]):
    """Fact: a screen share's video or audio track.

    `ended_at` is final: a track that was unpublished never comes back under its sid. `missing`
    counts the surveys in a row that did not list it; from 2 on it is taken for gone, and listed
    again it is back; after 10 it has ended.
    """

    model_config = {
        "collection": "tracks",
        "indexes": lambda: [
            Index(Track.participant_sid),
            Index(Track.room_sid, Track.identity),
            Index(Track.identity),
            IndexModel([(field, ASCENDING) for field in ("room_sid", "live", "identity")]),
            IndexModel([("ended_at", ASCENDING)]),
            IndexModel([("live", ASCENDING)], partialFilterExpression={"live": True}),
        ],
    }

    sid: str = Field(primary_field=True)
    room_sid: str
    room: str
    participant_sid: str
    identity: str
    video: bool
    width: int = 0
    height: int = 0
    mime: str = ""
    encrypted: bool = False
    published_at: datetime | None = None
    ended_at: datetime | None = None
    live: bool = True
    missing: int = 0
