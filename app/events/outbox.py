"""Our own events: written down first, delivered later.

An event's id says what happened to what, so telling the same again, after a crash or by a second
worker, changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import TypedDict
from weakref import WeakValueDictionary

import structlog
from redis.exceptions import RedisError

from app.context import Context
from app.errors import ReplayError
from app.events import event_numbers
from app.events.contents import EventContent
from app.lru_cache import LruCache
from app.models import DeliveryDocument, EventState
from app.models.schema import OutgoingEvent
from app.store import Change, KeyTaken, insertion
from app.work import errands

_NUMBER_TRIES = 50
_KNOWN_SECONDS = 3600.0
"""How long a number that was the last is gone on from. Events stay for a week at least."""
_last_numbers: LruCache[tuple[float, int]] = LruCache(10_000)
"""By database and room; with each, when it was the last one."""
_at_it: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""By room: those of one process take their numbers one after another, or most would be in vain."""

log = structlog.get_logger()


class NoEventsUrl(ReplayError):
    slug, status, title = "no-events-url", 409, "No event target wants it"


class _InRoom(TypedDict):
    """A row of what belongs to a room."""

    room: str
    room_sid: str


async def tell_of(
    ctx: Context,
    content: EventContent,
    key: str,
    row: _InRoom,
    *,
    identity: str,
    request_hash: str = "",
) -> bool:
    """Tells an event of the room that a row belongs to: see `tell`."""
    return await tell(
        ctx,
        content,
        key,
        room=row["room"],
        room_sid=row["room_sid"],
        identity=identity,
        request_hash=request_hash,
    )


async def tell(
    ctx: Context,
    content: EventContent,
    key: str,
    *,
    room: str,
    room_sid: str,
    identity: str,
    request_hash: str = "",
    to: Collection[str] | None = None,
    last_number: int | None = None,
    before: Sequence[Change] = (),
    after: Sequence[Change] = (),
) -> bool:
    """Writes an event down and asks for its delivery. False if it was told before.

    `key` names the occasion: the same event with the same key is one event. `room` and `room_sid`
    are empty where it belongs to no room. `identity` is whom, or whose share or clip, it is about.
    `to`: names of targets that get it, whatever they want; None: those that want it.
    `request_hash`: of the request that tells it, if that has a key: see `same_request`.

    `last_number`: what `event_numbers.highest` says of the room, where that was read. `before` and
    `after`: what is written with the event, around it. Raises KeyTaken for one of `before`.
    """
    now = datetime.now(UTC)
    if to is None:
        to = [
            each.name
            for each in ctx.settings.all_event_targets
            if each.wants(content.event, room, content.community)
        ]
    row = OutgoingEvent(
        id=f"{content.event}:{key}",
        room=room,
        room_sid=room_sid,
        identity=identity,
        number=0,
        request_hash=request_hash,
        event=content.event,
        data=content.data,
        targets={name: {**waiting(now)} for name in to},
        created_at=now,
        next_try_at=now,
    )
    async with _at_it.setdefault(room, asyncio.Lock()):
        is_new = await _write(ctx, row, last_number, before, after)
    if is_new:
        await _hurry(ctx, room)
    return is_new


def person(identity: str) -> str:
    """How the key of an occasion names somebody: an identity is of any length."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def waiting(now: datetime) -> DeliveryDocument:
    """A delivery that was not tried yet."""
    return {
        "state": EventState.PENDING,
        "attempts": 0,
        "next_try_at": now,
        "last_error": "",
    }


async def _write(
    ctx: Context,
    row: OutgoingEvent,
    last_number: int | None,
    before: Sequence[Change],
    after: Sequence[Change],
) -> bool:
    """Writes an event under its room's next number; False if it was told before."""
    key = f"{ctx.store.database.name}\0{row.room}"
    since, known = _last_numbers.get(key) or (0.0, 0)
    if time.monotonic() - since > _KNOWN_SECONDS:
        known = await event_numbers.highest(ctx.store, row.room) if last_number is None else 0
    row.number = max(known, last_number or 0) + 1
    for _ in range(_NUMBER_TRIES):
        try:
            await ctx.store.write(*before, insertion(row), *after)
        except KeyTaken as taken:
            if taken.place != len(before):
                raise
        else:
            _last_numbers.put(key, (time.monotonic(), row.number))
            return True
        # The number was taken, or somebody told the same. What comes before it is written.
        before = ()
        events = ctx.store.rows(OutgoingEvent)
        if await events.find_one({"_id": row.id}, {"_id": 1}) is not None:
            await ctx.store.write(*after)
            return False
        # The embedded store sorts all that match: from a number on that is taken few do.
        newest = await events.find_one(
            {"room": row.room, "number": {"$gte": row.number}}, {"number": 1}, sort=[("number", -1)]
        )
        row.number = newest["number"] + 1 if newest else row.number
    raise RuntimeError(f"no free number for {row.id} in {_NUMBER_TRIES} tries")


async def _hurry(ctx: Context, room: str) -> None:
    try:
        await ctx.queue.ask(errands.DELIVER, room)
    except RedisError as error:
        # The row is the promise: it is found, and sent, as soon as the queue is back.
        log.warning("event_not_queued", room=room, error=repr(error))
