"""Has our events said into the live room, and sent to their targets."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from app.context import Context
from app.errors import NotFound
from app.events import outbox, postings, settlement, target_pauses
from app.events.contents import PingContent
from app.events.outbox import NoEventsUrl, waiting
from app.models import EventRow, EventState, Row
from app.models.keyset import Order, Page
from app.models.schema import OutgoingEvent
from app.work import errands, rounds
from app.work.jobs import job, seconds

Say = Callable[[EventRow], Awaitable[None]]

_AT_ONCE = 100
_AS_DUE = Order("next_try_at", newest_first=False)


@job(errands.DELIVER, timeout=seconds(90))
async def deliver(ctx: Context, say: Say, room: str) -> None:
    """Asks each target to be posted what is due there of a room's events, then says the new ones.

    `say(row)` says an event into its live room, once. Neither a target nor LiveKit keeps another
    one waiting, nor does an event that can't be said. Raises Busy if another worker is saying.
    """
    now = datetime.now(UTC)
    paused = target_pauses.names(ctx, now)
    for target in ctx.settings.all_event_targets:
        if target.name not in paused and await postings.is_any_due(ctx, room, target.name, now):
            await ctx.queue.ask(errands.POST, room, target.name)
    async with ctx.queue.alone(errands.DELIVER, room):
        await _say_new(ctx, say, room)
        await settlement.settle_left(ctx, room)


@job("deliver_due", every=seconds(5), timeout=seconds(30))
async def deliver_due(ctx: Context) -> None:
    """Asks for the delivery of every room that has something due."""
    due = {"state": EventState.PENDING, "next_try_at": {"$lte": datetime.now(UTC)}}
    for room in await ctx.store.rows(OutgoingEvent).distinct("room", due):
        with rounds.item(room=room):
            await ctx.queue.ask(errands.DELIVER, room)


async def page(
    ctx: Context, state: EventState, *, limit: int, after: str | None = None
) -> Page[EventRow]:
    """Events in a state, by when they are due.

    Raises Invalid if `after` is not what an earlier page gave.
    """
    return await ctx.store.page(OutgoingEvent, _AS_DUE, {"state": state}, limit=limit, after=after)


async def find(ctx: Context, event_id: str) -> EventRow:
    """An event, whatever became of it. Raises NotFound, also of one that has expired."""
    row = await ctx.store.rows(OutgoingEvent).find_one({"_id": event_id})
    if row is None:
        raise NotFound(f"there is no event {event_id!r}; delivered ones go after 7 days")
    return row


async def ping(ctx: Context, identity: str, name: str | None) -> EventRow:
    """Tells all targets, or the one of a name, that nothing has happened; as `identity` asks.

    Raises NoEventsUrl, NotFound.
    """
    names = [each.name for each in ctx.settings.all_event_targets]
    if not names:
        raise NoEventsUrl(
            "there is nobody to send an event to: whoever runs this instance has to set "
            "EVENTS_URL, EVENTS_KEY and EVENTS_SECRET, or EVENTS_TARGETS"
        )
    if name is not None and name not in names:
        raise NotFound(f"there is no target {name!r}: there are {', '.join(map(repr, names))}")
    key, content = secrets.token_hex(12), PingContent()
    to = names if name is None else [name]
    await outbox.tell(ctx, content, key, room="", room_sid="", identity=identity, to=to)
    return await find(ctx, f"{content.event}:{key}")


async def send_again(ctx: Context, event_id: str) -> bool:
    """Gives a dead event another day, where it was not taken. False if there is no such event."""
    events = ctx.store.rows(OutgoingEvent)
    row = await events.find_one({"_id": event_id, "state": EventState.DEAD})
    if row is None:
        return False
    now = datetime.now(UTC)
    change: Row = {"state": EventState.PENDING, "created_at": now, "next_try_at": now}
    for name, each in row["targets"].items():
        if each["state"] == EventState.DEAD:
            change[f"targets.{name}"] = waiting(now)
    changed = await events.update_one({"_id": event_id, "state": EventState.DEAD}, {"$set": change})
    return bool(changed.modified_count)


async def _say_new(ctx: Context, say: Say, room: str) -> None:
    """Says what was not said yet, in its order."""

    async def find(failed: Sequence[str]) -> dict[str, EventRow]:
        new: Row = {"attempts": 0, "_id": {"$nin": failed}}
        first: Row = {"$sort": {"number": 1}}
        return await settlement.pending(ctx, room, new, first, {"$limit": _AT_ONCE})

    async for row, tried in rounds.some_at_a_time("said", find, room=room):
        with tried:
            if await ctx.store.take(OutgoingEvent, row, {"attempts": 1}):
                await say(row)
