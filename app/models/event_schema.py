"""What we tell others: our own events, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Model
from pymongo import ASCENDING, IndexModel

from app.models.event_rows import EventNumberRow, EventRow
from app.models.stored import Stored
from app.models.words import EventState


class OutgoingEvent(Model, Stored[EventRow]):
    """One of our events. `number` counts a room's events from 1, without holes.

    `targets`: by their names those that it is for, and what became of it there. It is delivered
    when all of them have it, and dead when no try is left and one has not.

    `request_hash`: what the Idempotency-Key that it is named by is compared by, if there is one.

    `next_try_at` is the lease, too: who takes the event moves it on, so that no second worker sends
    it at the same time.
    """

    model_config = {
        "collection": "events",
        "indexes": lambda: [
            IndexModel([("room", ASCENDING), ("number", ASCENDING)], unique=True),
            IndexModel([("room", ASCENDING), ("state", ASCENDING), ("number", ASCENDING)]),
            IndexModel([("state", ASCENDING), ("next_try_at", ASCENDING)]),
            IndexModel([("delivered_at", ASCENDING)], expireAfterSeconds=7 * 86_400),
            # of a dead one it is when it was given up
            IndexModel(
                [("next_try_at", ASCENDING)],
                expireAfterSeconds=30 * 86_400,
                partialFilterExpression={"state": EventState.DEAD},
            ),
        ],
    }

    id: str = Field(primary_field=True)
    room: str
    room_sid: str
    identity: str
    number: int
    request_hash: str = ""
    event: str
    data: dict[str, Any]
    targets: dict[str, dict[str, Any]] = {}
    created_at: datetime
    state: EventState = EventState.PENDING
    attempts: int = 0
    next_try_at: datetime
    last_error: str = ""
    delivered_at: datetime | None = None


class EventNumber(Model, Stored[EventNumberRow]):
    """Of a room, by its name, the highest number of an event that may have expired since.

    It stays for 400 days after that event.
    """

    model_config = {
        "collection": "event_numbers",
        "indexes": lambda: [
            IndexModel([("told_at", ASCENDING)], expireAfterSeconds=400 * 86_400),
        ],
    }

    id: str = Field(primary_field=True)
    number: int
    told_at: datetime
