"""Our own events: written down first, delivered later.

An event's id says what happened to what, so telling the same again, after a crash or by a second
worker, changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.context import Context
from app.models.schema import OutgoingEvent
from app.work import errands

BUFFER_STARTED = "buffer_started"
BUFFER_ENDED = "buffer_ended"
BUFFER_REFUSED = "buffer_refused"
CAPTURE_READY = "capture_ready"
CAPTURE_FAILED = "capture_failed"
CLIP_SHARED = "clip_shared"
QUOTA_EXCEEDED = "quota_exceeded"
ROLE_CHANGED = "role_changed"
NAMES = (
    BUFFER_STARTED,
    BUFFER_ENDED,
    BUFFER_REFUSED,
    CAPTURE_READY,
    CAPTURE_FAILED,
    CLIP_SHARED,
    QUOTA_EXCEEDED,
    ROLE_CHANGED,
)
_NUMBER_TRIES = 50

log = structlog.get_logger()


async def tell(
    ctx: Context,
    event: str,
    key: str,
    *,
    room: str,
    room_sid: str,
    identity: str,
    data: dict[str, Any],
) -> None:
    """Writes an event down and asks for its delivery.

    `key` names the occasion: the same event with the same key is one event. `room` and `room_sid`
    are empty where it belongs to no room. `identity` is whom, or whose share or clip, it is about,
    `data` what the event says, JSON values only.
    """
    events = ctx.store.rows(OutgoingEvent)
    event_id = f"{event}:{key}"
    now = datetime.now(UTC)
    for _ in range(_NUMBER_TRIES):
        newest = await events.find_one({"room": room}, {"number": 1}, sort=[("number", -1)])
        row = OutgoingEvent(
            id=event_id,
            room=room,
            room_sid=room_sid,
            identity=identity,
            number=newest["number"] + 1 if newest else 1,
            event=event,
            data=data,
            created_at=now,
            next_try_at=now,
        )
        if await ctx.store.create(row):
            await _hurry(ctx, room)
            return
        # the number was taken meanwhile, or somebody told the same
        if await events.find_one({"_id": event_id}, {"_id": 1}) is not None:
            return
    raise RuntimeError(f"no free number for {event_id} in {_NUMBER_TRIES} tries")


async def _hurry(ctx: Context, room: str) -> None:
    try:
        await ctx.queue.ask(errands.DELIVER, room)
    except RedisError as error:
        # The row is the promise: it is found, and sent, as soon as the queue is back.
        log.warning("event_not_queued", room=room, error=repr(error))
