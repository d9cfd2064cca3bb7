"""How many connections to a room leave a row in an hour: it is kept as long as clips of the room.

Whoever may come under any name is somebody else each time. Each process counts by itself.
"""

from __future__ import annotations

import structlog

from app import metrics
from app.models.metric_words import ErrorKind
from app.store import Store
from app.work.log_lines import LogLines
from app.work.rate_buckets import RateBuckets

NEW_IN_ROOM = 10_000
"""In an hour: thrice as many people as LiveKit has in a room, and each comes again."""

_of_rooms = RateBuckets(NEW_IN_ROOM, 3600.0)
_lines = LogLines("connections_without_lines", per_minute=1)

log = structlog.get_logger()


def may_be_new(store: Store, room: str) -> bool:
    """Whether one more connection may leave a row, which counts. `room`: its name, which stays.

    That it may not is counted and logged. Whose has none was not there, as far as rights go; a
    survey notes it later if it goes on.
    """
    of_room = f"{store.database.name}\0{room}"
    if not _of_rooms.take(of_room):
        return True
    metrics.ERRORS.labels(ErrorKind.CONNECTIONS_TOO_MANY).inc()
    if _lines.take(of_room):
        log.warning("connections_too_many", room=room, most=NEW_IN_ROOM)
    return False
