"""Rows of facts: what LiveKit told us of rooms, people and shared tracks."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict


class RoomRow(TypedDict):
    """A row of `Room`."""

    _id: str
    name: str
    community: str
    finished_at: datetime | None
    missing: int


class ParticipantRow(TypedDict):
    """A row of `Participant`."""

    _id: str
    room_sid: str
    room: str
    identity: str
    joined_at: datetime | None
    left_at: datetime | None
    unlisted_at: datetime | None
    opted_out: bool
    community: str | None


class TrackRow(TypedDict):
    """A row of `Track`."""

    _id: str
    room_sid: str
    room: str
    participant_sid: str
    identity: str
    video: bool
    width: int
    height: int
    mime: str
    encrypted: bool
    published_at: datetime | None
    ended_at: datetime | None
    live: bool
    missing: int
