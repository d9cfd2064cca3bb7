"""Rows of what we tell others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from app.models.words import EventState


class DeliveryDocument(TypedDict):
    """What became of an event at one of its targets."""

    state: EventState
    attempts: int
    next_try_at: datetime
    last_error: str


class EventRow(TypedDict):
    """A row of `OutgoingEvent`."""

    _id: str
    room: str
    room_sid: str
    identity: str
    number: int
    request_hash: str
    event: str
    data: dict[str, Any]
    targets: dict[str, DeliveryDocument]
    created_at: datetime
    state: EventState
    attempts: int
    next_try_at: datetime
    last_error: str
    delivered_at: datetime | None


class EventNumberRow(TypedDict):
    """A row of `EventNumber`."""

    _id: str
    number: int
    told_at: datetime
