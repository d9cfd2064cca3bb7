"""What becomes of an event as a whole, once it is known how it stands at its targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from app import metrics
from app.context import Context
from app.events import event_numbers
from app.models import EventRow, EventState, Row
from app.models.metric_words import ErrorKind
from app.models.schema import OutgoingEvent
from app.store import Change
from app.work import rounds

log = structlog.get_logger()

GIVE_UP_AFTER = timedelta(days=1)
_LOOK_AGAIN = timedelta(minutes=15)
_AT_ONCE = 100


async def settle(ctx: Context, row: EventRow) -> None:
    """Notes when an event is to be tried next, or that it is over: delivered, or dead.

    A target that there is no more gets nothing, and nothing waits for it.
    """
    known = {each.name for each in ctx.settings.all_event_targets}
    waiting = {
        name: each for name, each in row["targets"].items() if each["state"] == EventState.PENDING
    }
    wanted = [each["next_try_at"] for name, each in waiting.items() if name in known]
    if wanted:
        await _change(ctx, row, {"next_try_at": min(wanted)})
        return
    is_dead = any(each["state"] == EventState.DEAD for each in row["targets"].values())
    change: Row = {f"targets.{name}.state": EventState.DELIVERED for name in waiting}
    change["state"] = EventState.DEAD if is_dead else EventState.DELIVERED
    if not is_dead:
        change["delivered_at"] = datetime.now(UTC)
        if "message" in row["data"]:  # nobody asks for the words any more
            change["data.message.text"] = ""
    await _change(ctx, row, change)


async def settle_left(ctx: Context, room: str) -> None:
    """Settles a room's events that were said, and that no target waits for.

    They have none, or their targets are gone, or whoever posted them last was killed. One that was
    altered, so that nobody can tell, is looked at again, for a day.
    """
    names = [each.name for each in ctx.settings.all_event_targets]
    left: Row = {"attempts": {"$ne": 0}, "next_try_at": {"$lte": datetime.now(UTC)}}
    left |= {f"targets.{name}.state": {"$ne": EventState.PENDING} for name in names}

    async def find(failed: Sequence[str]) -> dict[str, EventRow]:
        which = left | {"_id": {"$nin": failed}}
        return await pending(ctx, room, which, {"$limit": _AT_ONCE})

    async for row, tried in rounds.some_at_a_time("settled", find, room=room):
        with tried as attempt:
            await settle(ctx, row)
        if attempt.error is not None:
            with rounds.item(room=room, noted=row["_id"]):
                await _put_off(ctx, row, repr(attempt.error))


async def pending(ctx: Context, room: str, which: Row, *more: Row) -> dict[str, EventRow]:
    """A room's events that are not over, and match, by their ids; `more` as of `Store.matching`.

    They are few among those of a week, and the room and their state have an index.
    """
    served: Row = {"room": room, "state": EventState.PENDING}
    rows = await ctx.store.matching(OutgoingEvent, served, which, *more)
    return {row["_id"]: row for row in rows}


def tell_given_up(**facts: str) -> None:
    """Counts and logs an event that somebody has not got."""
    metrics.ERRORS.labels(ErrorKind.EVENT_DEAD).inc()
    log.error("event_given_up", **facts)


async def _put_off(ctx: Context, row: EventRow, error: str) -> None:
    now = datetime.now(UTC)
    change: Row = {"last_error": error[:300], "next_try_at": now + _LOOK_AGAIN}
    created_at: object = row.get("created_at")
    if not isinstance(created_at, datetime) or now - created_at >= GIVE_UP_AFTER:
        tell_given_up(id=row["_id"], error=error)
        change["state"] = EventState.DEAD
    await _change(ctx, row, change)


async def _change(ctx: Context, row: EventRow, change: Row) -> None:
    same = {"_id": row["_id"], "state": EventState.PENDING}
    # Pending no more it may expire: its room's next number is known without it before that.
    kept = [event_numbers.kept(row["room"], row["number"])] if "state" in change else []
    await ctx.store.write(*kept, Change(OutgoingEvent, {"$set": change}, same))
