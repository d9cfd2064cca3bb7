"""Sends our events to their targets, and into the live room."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from app import metrics
from app.context import Context
from app.events import event_bodies, event_numbers, target_answers, target_pauses
from app.events.outbox import waiting
from app.events.target_answers import TargetAnswer
from app.models import DeliveryDocument, EventRow, EventState, Row
from app.models.keyset import Order, Page
from app.models.metric_words import ErrorKind
from app.models.schema import OutgoingEvent
from app.store import Change
from app.work import errands, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()

Say = Callable[[EventRow], Awaitable[None]]
PageOf = Callable[[EventRow], Awaitable[str | None]]

GIVE_UP_AFTER = timedelta(days=1)
LEASE = timedelta(seconds=30)
"""How long a taken event stays with its sender before another worker may take it."""
_MAX_BACK_OFF_SECONDS = 900.0
_AS_DUE = Order("next_try_at", newest_first=False)


def back_off_seconds(attempts: int) -> float:
    """The pause before the next attempt: 1, 2, 4 … seconds, at most 15 minutes."""
    return float(min(2 ** max(attempts - 1, 0), _MAX_BACK_OFF_SECONDS))


async def no_page(_: EventRow) -> str | None:
    """Nobody who reads a chat is given a link."""
    return None


@job(errands.DELIVER, timeout=seconds(90))
async def deliver(ctx: Context, say: Say, room: str, page_of: PageOf = no_page) -> None:
    """Sends what is due of a room's events, in their order, to each target until it takes none now.

    `say(row)` says an event into its live room. It is said once, at the first attempt.
    `page_of(row)` is the page of a link that those who read a chat may be given. An event
    that can't be made or said, or that a target refuses, is in no other one's way, nor is a target
    that does not answer. Raises Busy if another worker is at it.
    """
    async with (
        ctx.queue.alone(errands.DELIVER, room),
        httpx.AsyncClient(timeout=target_answers.SECONDS) as client,
    ):
        passed_by: set[str] = set()
        failed = target_pauses.names(ctx, datetime.now(UTC))
        while due := await _due(ctx, room, passed_by, failed):
            for event_id in due:
                refused: set[str] = set()
                with rounds.item(room=room, sent=event_id) as attempt:
                    if (taken := await _take(ctx, event_id)) is None:
                        continue  # somebody was faster
                    if taken["attempts"] == 1:
                        with rounds.item(room=room, said=event_id):
                            await say(taken)
                    refused = await _send(ctx, client, taken, failed, page_of)
                if attempt.error is not None:
                    passed_by.add(event_id)
                    with rounds.item(room=room, noted=event_id):
                        await _note_unmade(ctx, await _event(ctx, event_id), repr(attempt.error))
                if refused:
                    failed |= refused
                    break  # what else is due is another list now


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


async def send_again(ctx: Context, event_id: str) -> bool:
    """Gives a dead event another day, where it was not taken. False if there is no such event."""
    events = ctx.store.rows(OutgoingEvent)
    row = await events.find_one({"_id": event_id, "state": EventState.DEAD})
    if row is None:
        return False
    now = datetime.now(UTC)
    change: Row = {"state": EventState.PENDING, "attempts": 0, "created_at": now}
    change["next_try_at"] = now
    for name, each in row["targets"].items():
        if each["state"] == EventState.DEAD:
            change[f"targets.{name}"] = waiting(now)
    changed = await events.update_one({"_id": event_id, "state": EventState.DEAD}, {"$set": change})
    return bool(changed.modified_count)


async def _due(
    ctx: Context, room: str, passed_by: Collection[str], failed: Collection[str]
) -> list[str]:
    """The ids of a room's events that are due, but for some, in their order.

    Due are those that a target which has not failed waits for. Of those that belong to no room, the
    next ones only: communities take turns, or one whose admin changes roles all the time would keep
    the others' waiting for as long.
    Chosen here: asked for an order or a time, the embedded store walks all events of the room.
    """
    pending = {"room": room, "state": EventState.PENDING}
    asked = dict.fromkeys(("number", "next_try_at", "targets", "data.community"), 1)
    found = await ctx.store.rows(OutgoingEvent).find(pending, asked).to_list(None)
    now = datetime.now(UTC)
    due = [
        row
        for row in found
        if row["_id"] not in passed_by and _is_due(row, now) and _is_wanted(row, now, failed)
    ]
    due.sort(key=_number)
    return [row["_id"] for row in (due if room else _next_of_communities(due))]


def _next_of_communities(due: list[EventRow]) -> list[EventRow]:
    """The first event of each community."""
    first: dict[str, EventRow] = {}
    for row in due:
        data: object = row.get("data")  # of a row that was altered it may be anything
        community = data.get("community") if isinstance(data, dict) else None
        first.setdefault(str(community), row)
    return list(first.values())


def _is_due(row: EventRow, now: datetime) -> bool:
    """Whether it may be sent; of a row that was altered nobody knows, and no other one waits."""
    next_try_at: object = row.get("next_try_at")
    return isinstance(next_try_at, datetime) and next_try_at <= now


def _number(row: EventRow) -> int:
    """Its place in the room; of a row that was altered the last one."""
    number: object = row.get("number")
    return number if isinstance(number, int) else sys.maxsize


def _is_wanted(row: EventRow, now: datetime, failed: Collection[str]) -> bool:
    """Whether anything is to be done for it: at a target, or, if it has none, in its room.

    A row that was altered is looked at, and found to be.
    """
    targets: object = row.get("targets")
    if not isinstance(targets, dict) or not targets:
        return True
    try:
        return bool(_due_targets(targets, now) - set(failed))
    except (KeyError, TypeError):
        return True


def _due_targets(targets: Mapping[str, DeliveryDocument], now: datetime) -> set[str]:
    return {
        name
        for name, each in targets.items()
        if each["state"] == EventState.PENDING and each["next_try_at"] <= now
    }


async def _take(ctx: Context, event_id: str) -> EventRow | None:
    """An event that is due, now the caller's for a while; None if it is another's."""
    row, now = await _event(ctx, event_id), datetime.now(UTC)
    if not _is_due(row, now):
        return None
    leased = {"next_try_at": now + LEASE, "attempts": row["attempts"] + 1}
    return await ctx.store.take(OutgoingEvent, row, leased, state=EventState.PENDING)


async def _event(ctx: Context, event_id: str) -> EventRow:
    """An event's row, which stays for a week after its delivery. Raises LookupError."""
    row = await ctx.store.rows(OutgoingEvent).find_one({"_id": event_id})
    if row is None:
        raise LookupError(f"event {event_id} is gone")
    return row


async def _send(
    ctx: Context,
    client: httpx.AsyncClient,
    row: EventRow,
    failed: Collection[str],
    page_of: PageOf,
) -> set[str]:
    """Sends an event where it is due, at once; the targets that take none now.

    Who refuses this one may take the next one.
    """
    now = datetime.now(UTC)
    known = {each.name: each for each in ctx.settings.all_event_targets}
    names = sorted(_due_targets(row["targets"], now) - set(failed))
    # A target that there is no more gets nothing, and nothing waits for it.
    left = [name for name in names if name in known]
    page = await page_of(row) if any(known[name].format.is_chat for name in left) else None
    postings = {
        name: event_bodies.posting_of(known[name], row, ctx.settings.base_url, now, page)
        for name in left
    }
    answers = await asyncio.gather(
        *(target_answers.post(client, known[name], posting) for name, posting in postings.items())
    )
    told = dict(zip(postings, answers, strict=True))
    for name, answer in told.items():
        if answer.pause_seconds:
            target_pauses.begin(ctx, name, answer.pause_seconds, now)
    await _note(ctx, row, {name: told.get(name, target_answers.TAKEN) for name in names})
    return {name for name, each in told.items() if not each.goes_on}


async def _note_unmade(ctx: Context, row: EventRow, error: str) -> None:
    """Writes down that an event could not be made, for whomever it was."""
    now = datetime.now(UTC)
    change: Row = {"last_error": error[:300]}
    if now - row["created_at"] >= GIVE_UP_AFTER:
        _tell_given_up(id=row["_id"], error=error)
        change["state"] = EventState.DEAD
    else:
        log.warning("event_not_made", id=row["_id"], attempt=row["attempts"], error=error)
        change["next_try_at"] = now + timedelta(seconds=back_off_seconds(row["attempts"]))
    await _change(ctx, row, change)


async def _note(ctx: Context, row: EventRow, outcomes: Mapping[str, TargetAnswer]) -> None:
    """Writes down what became of an event at its targets."""
    now = datetime.now(UTC)
    targets = dict(row["targets"])
    for name, answer in outcomes.items():
        targets[name] = _after(row, name, targets[name], answer, now)
    change: Row = {f"targets.{name}": targets[name] for name in outcomes}
    states = {each["state"] for each in targets.values()}
    if EventState.PENDING in states:
        left = [each for each in targets.values() if each["state"] == EventState.PENDING]
        change["next_try_at"] = min(each["next_try_at"] for each in left)
    else:
        is_dead = EventState.DEAD in states
        change["state"] = EventState.DEAD if is_dead else EventState.DELIVERED
        change |= {} if is_dead else {"delivered_at": now}
    wrong = [answer.error for answer in outcomes.values() if answer.error]
    change["last_error"] = wrong[-1][:300] if wrong else ""
    await _change(ctx, row, change)


async def _change(ctx: Context, row: EventRow, change: Row) -> None:
    same = {"_id": row["_id"], "state": EventState.PENDING}
    # Pending no more it may expire: its room's next number is known without it before that.
    kept = [event_numbers.kept(row["room"], row["number"])] if "state" in change else []
    await ctx.store.write(*kept, Change(OutgoingEvent, {"$set": change}, same))


def _tell_given_up(**facts: str) -> None:
    metrics.ERRORS.labels(ErrorKind.EVENT_DEAD).inc()
    log.error("event_given_up", **facts)


def _after(
    row: EventRow, target: str, was: DeliveryDocument, answer: TargetAnswer, now: datetime
) -> DeliveryDocument:
    """A delivery after a try."""
    attempts, error = was["attempts"] + 1, answer.error
    tried: DeliveryDocument = {**was, "attempts": attempts, "last_error": error[:300]}
    if not error:
        return {**tried, "state": EventState.DELIVERED}
    facts = {"id": row["_id"], "target": target, "error": error}
    if answer.is_final or now - row["created_at"] >= GIVE_UP_AFTER:
        _tell_given_up(**facts)
        return {**tried, "state": EventState.DEAD}
    log.warning("event_not_delivered", attempt=attempts, **facts)
    pause = max(back_off_seconds(attempts), answer.pause_seconds)
    return {**tried, "next_try_at": now + timedelta(seconds=pause)}
