"""Posts our events to their targets: each target by itself, however long another one takes.

A target has a room's events one after another, in their order, until it takes none now. How it
stands there is in the event's row, under the target's name, and so is the lease of who posts it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import structlog
from pymongo import ReturnDocument

from app import metrics
from app.context import Context
from app.events import event_bodies, settlement, target_answers, target_pauses
from app.events.target_answers import TargetAnswer
from app.models import DeliveryDocument, EventRow, EventState, Row
from app.models.metric_words import ErrorKind
from app.models.schema import OutgoingEvent
from app.settings.event_targets import EventTarget
from app.work import errands, rounds
from app.work.jobs import job, seconds
from app.work.log_lines import LogLines

log = structlog.get_logger()

PageOf = Callable[[EventRow], Awaitable[str | None]]

LEASE = timedelta(seconds=30)
"""How long a taken event stays with its sender before another worker may take it."""
SLOW_SECONDS = 2.0
"""An answer that takes longer is counted and logged."""
ROOMS_AT_ONCE = 16
"""Of one target and one process: a slow one takes no more of the worker than this."""
_POSTING_SECONDS = 20.0
"""After these another job goes on: a job has its end."""
_AT_ONCE = 100
_MAX_BACK_OFF_SECONDS = 900.0
_at_it: Counter[str] = Counter()
"""By database and target: for how many rooms it is posted to now."""
_slow_lines = LogLines("slow_targets_without_lines", per_minute=6)


def back_off_seconds(attempts: int) -> float:
    """The pause before the next attempt: 1, 2, 4 … seconds, at most 15 minutes."""
    return float(min(2 ** max(attempts - 1, 0), _MAX_BACK_OFF_SECONDS))


async def no_page(_: EventRow) -> str | None:
    """Nobody who reads a chat is given a link."""
    return None


@job(errands.POST, timeout=seconds(60))
async def post(ctx: Context, page_of: PageOf, room: str, name: str) -> None:
    """Posts to a target what is due there of a room's events, until it takes none now.

    `page_of(row)` is the page of a link that those who read a chat may be given. An event that
    can't be made, or that the target refuses, is in no other one's way. Raises Busy if another
    worker is at it.
    """
    target = next((each for each in ctx.settings.all_event_targets if each.name == name), None)
    if target is None or name in target_pauses.names(ctx, datetime.now(UTC)):
        return
    with _place(ctx, name) as has_place:
        if not has_place:
            return  # it is due, and asked for again
        async with (
            ctx.queue.alone(errands.POST, room, name),
            httpx.AsyncClient(timeout=target_answers.SECONDS) as client,
        ):
            if not await _post_due(ctx, client, target, room, page_of):
                return
    await ctx.queue.ask(errands.POST, room, name)


async def is_any_due(ctx: Context, room: str, name: str, now: datetime) -> bool:
    """Whether a target waits for an event of a room."""
    only_id: Row = {"$project": {"_id": 1}}
    return bool(await settlement.pending(ctx, room, _due_at(name, now), {"$limit": 1}, only_id))


@contextmanager
def _place(ctx: Context, name: str) -> Iterator[bool]:
    """Whether a target may be posted to for one more room; within the block it is."""
    key = f"{ctx.store.database.name}\0{name}"
    if _at_it[key] >= ROOMS_AT_ONCE:
        yield False
        return
    _at_it[key] += 1
    try:
        yield True
    finally:
        _at_it[key] -= 1


async def _post_due(
    ctx: Context, client: httpx.AsyncClient, target: EventTarget, room: str, page_of: PageOf
) -> bool:
    """Posts what is due. Returns whether the time for it was over before the events were."""
    until = time.monotonic() + _POSTING_SECONDS
    due = rounds.some_at_a_time(
        "sent", partial(_due, ctx, room, target.name), room=room, target=target.name
    )
    async for event_id, tried in due:
        if time.monotonic() > until:
            return True
        goes_on = True
        with tried:
            goes_on = await _post(ctx, client, target, event_id, page_of)
        if not goes_on:
            return False
    return False


def _due_at(name: str, now: datetime) -> Row:
    return {
        f"targets.{name}.state": EventState.PENDING,
        f"targets.{name}.next_try_at": {"$lte": now},
    }


async def _due(ctx: Context, room: str, name: str, failed: Sequence[str]) -> dict[str, str]:
    """The ids of the next events that are due at a target, but for some, in their order; by these.

    Of those that belong to no room, the next one of each community: they take turns, or one whose
    admin changes roles all the time would keep the others' waiting for as long.
    """
    due = _due_at(name, datetime.now(UTC)) | {"_id": {"$nin": failed}}
    in_order: Row = {"$sort": {"number": 1}}
    next_ones: list[Row] = [{"$limit": _AT_ONCE}, {"$project": {"_id": 1}}]
    if not room:
        of_each = {"_id": "$data.community", "id": {"$first": "$_id"}, "n": {"$first": "$number"}}
        next_ones = [
            {"$group": of_each},
            {"$sort": {"n": 1}},
            {"$project": {"_id": "$id"}},
        ]
    found = await settlement.pending(ctx, room, due, in_order, *next_ones)
    return {event_id: event_id for event_id in found}


async def _post(
    ctx: Context, client: httpx.AsyncClient, target: EventTarget, event_id: str, page_of: PageOf
) -> bool:
    """Posts an event, if nobody else does. Returns whether the target may get the next one."""
    row = await _take(ctx, event_id, target.name)
    if row is None:
        return True
    answer = TargetAnswer("", goes_on=True)
    with rounds.item(event=event_id, target=target.name) as attempt:
        answer = await _answer(ctx, client, target, row, page_of)
    if attempt.error is not None:  # it can't be made
        answer = TargetAnswer(repr(attempt.error), goes_on=True)
    if answer.pause_seconds:
        target_pauses.begin(ctx, target.name, answer.pause_seconds, datetime.now(UTC))
    noted = await ctx.store.rows(OutgoingEvent).find_one_and_update(
        {"_id": event_id, "state": EventState.PENDING},
        {
            "$set": {
                f"targets.{target.name}": _after(row, target.name, answer, datetime.now(UTC)),
                "last_error": answer.error[:300],
            },
            "$max": {"attempts": row["targets"][target.name]["attempts"] + 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    if noted is not None:
        await settlement.settle(ctx, noted)
    return answer.goes_on


async def _answer(
    ctx: Context, client: httpx.AsyncClient, target: EventTarget, row: EventRow, page_of: PageOf
) -> TargetAnswer:
    page = await page_of(row) if target.format.is_chat else None
    base_url, now = ctx.settings.base_url, datetime.now(UTC)
    posting = event_bodies.posting_of(target, row, base_url, now, page)
    began = time.monotonic()
    answer = await target_answers.post(client, target, posting)
    seconds_taken = time.monotonic() - began
    if seconds_taken > SLOW_SECONDS:
        metrics.ERRORS.labels(ErrorKind.EVENT_TARGET_SLOW).inc()
        if _slow_lines.take(target.name):
            log.warning("event_target_slow", target=target.name, seconds=round(seconds_taken, 1))
    return answer


async def _take(ctx: Context, event_id: str, name: str) -> EventRow | None:
    """An event that is due at a target, now the caller's for a while; None if it is another's."""
    events, now = ctx.store.rows(OutgoingEvent), datetime.now(UTC)
    row = await events.find_one({"_id": event_id})
    if row is None:
        return None
    was = row["targets"][name]
    if was["state"] != EventState.PENDING or was["next_try_at"] > now:
        return None
    same = {
        "_id": event_id,
        "state": EventState.PENDING,
        f"targets.{name}.next_try_at": was["next_try_at"],
        f"targets.{name}.attempts": was["attempts"],
    }
    leased = {f"targets.{name}.next_try_at": now + LEASE}
    taken = await events.update_one(same, {"$set": leased})
    return row if taken.matched_count else None


def _after(row: EventRow, name: str, answer: TargetAnswer, now: datetime) -> DeliveryDocument:
    """A delivery after a try."""
    was = row["targets"][name]
    attempts, error = was["attempts"] + 1, answer.error
    tried: DeliveryDocument = {**was, "attempts": attempts, "last_error": error[:300]}
    if not error:
        return {**tried, "state": EventState.DELIVERED}
    facts = {"id": row["_id"], "target": name, "error": error}
    if answer.is_final or now - row["created_at"] >= settlement.GIVE_UP_AFTER:
        settlement.tell_given_up(**facts)
        return {**tried, "state": EventState.DEAD}
    log.warning("event_not_delivered", attempt=attempts, **facts)
    pause = max(back_off_seconds(attempts), answer.pause_seconds)
    return {**tried, "next_try_at": now + timedelta(seconds=pause)}
