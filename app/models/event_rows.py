"""Rows of what we tell others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from app.models.words import EventState


class EventRow(TypedDict):
    """A row of `OutgoingEvent`."""

    _id: str
    room: str
    room_sid: str
    identity: str
    number: int
    event: str
    data: dict[str, Any]
    created_at: datetime
    state: EventState
    attempts: int
    next_try_at: datetime
    last_error: str
    delivered_at: datetime | None
