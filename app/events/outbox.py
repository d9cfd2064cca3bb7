"""Our own events: written down first, delivered later.

An event's id says what happened to what, so telling the same again, after a crash or by a second
worker, changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import structlog
from redis.exceptions import RedisError

from app.context import Context
from app.events import event_numbers
from app.events.contents import EventContent
from app.lru_cache import LruCache
from app.models import DeliveryDocument, EventState
from app.models.schema import OutgoingEvent
from app.work import errands

_NUMBER_TRIES = 50
_last_numbers: LruCache[int] = LruCache(10_000)
"""By database and room."""
_at_it: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""By room: those of one process take their numbers one after another, or most would be in vain."""

log = structlog.get_logger()


async def tell(
    ctx: Context,
    content: EventContent,
    key: str,
    *,
    room: str,
    room_sid: str,
    identity: str,
) -> None:
    """Writes an event down and asks for its delivery.

    `key` names the occasion: the same event with the same key is one event. `room` and `room_sid`
    are empty where it belongs to no room. `identity` is whom, or whose share or clip, it is about.
    """
    now = datetime.now(UTC)
    wanted = {
        target.name: {**waiting(now)}
        for target in ctx.settings.all_event_targets
        if target.wants(content.event, room, content.community)
    }
    row = OutgoingEvent(
        id=f"{content.event}:{key}",
        room=room,
        room_sid=room_sid,
        identity=identity,
        number=0,
        event=content.event,
        data=content.data,
        targets=wanted,
        created_at=now,
        next_try_at=now,
    )
    async with _at_it.setdefault(room, asyncio.Lock()):
        is_new = await _write(ctx, row)
    if is_new:
        await _hurry(ctx, room)


def waiting(now: datetime) -> DeliveryDocument:
    """A delivery that was not tried yet."""
    return {
        "state": EventState.PENDING,
        "attempts": 0,
        "next_try_at": now,
        "last_error": "",
    }


async def _write(ctx: Context, row: OutgoingEvent) -> bool:
    """Writes an event under its room's next number; False if it was told before."""
    events = ctx.store.rows(OutgoingEvent)
    key = f"{ctx.store.database.name}\0{row.room}"
    for _ in range(_NUMBER_TRIES):
        # The embedded store sorts all that match: from a number on that was the last, few do.
        since = _last_numbers.get(key) or 0
        newest = await events.find_one(
            {"room": row.room, "number": {"$gte": since}}, {"number": 1}, sort=[("number", -1)]
        )
        if newest is None and since:  # all of the room's have expired
            _last_numbers.put(key, 0)
            continue
        highest = newest["number"] if newest else await event_numbers.highest(ctx.store, row.room)
        row.number = highest + 1
        if await ctx.store.create(row):
            _last_numbers.put(key, row.number)
            return True
        # the number was taken meanwhile, or somebody told the same
        if await events.find_one({"_id": row.id}, {"_id": 1}) is not None:
            return False
    raise RuntimeError(f"no free number for {row.id} in {_NUMBER_TRIES} tries")


async def _hurry(ctx: Context, room: str) -> None:
    try:
        await ctx.queue.ask(errands.DELIVER, room)
    except RedisError as error:
        # The row is the promise: it is found, and sent, as soon as the queue is back.
        log.warning("event_not_queued", room=room, error=repr(error))
