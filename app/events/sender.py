"""Sends our events: to EVENTS_URL, signed as LiveKit signs its own, and into the live room.

LiveKit's webhook receivers verify them with EVENTS_KEY and EVENTS_SECRET. These receivers drop
members that LiveKit does not know, so what an event says travels in `participant.metadata`, as
JSON; readers of the raw body find the same under `replay`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import structlog
from livekit.api import AccessToken

from app import metrics
from app.context import Context
from app.models import EventRow, EventState, Row
from app.models.keyset import Order, Page
from app.models.schema import OutgoingEvent
from app.settings import Settings
from app.work import errands, outside_answers, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()

Say = Callable[[EventRow], Awaitable[None]]

GIVE_UP_AFTER = timedelta(days=1)
LEASE = timedelta(seconds=30)
"""How long a taken event stays with its sender before another worker may take it."""
_SEND_SECONDS = 10.0
_MAX_BACK_OFF_SECONDS = 900.0
_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""What says of a request only that it came at a bad time; other 4xx say that it is refused."""
_AS_DUE = Order("next_try_at", newest_first=False)


def body_of(row: EventRow, members: Collection[str] | None = None) -> dict[str, Any]:
    """An event as JSON, in the shape of LiveKit's webhooks.

    `members`: which ones of what it says; None: all.
    """
    said = {k: v for k, v in row["data"].items() if members is None or k in members}
    content = {"number": row["number"], **said}
    return {
        "event": row["event"],
        "id": row["_id"],
        "createdAt": str(int(row["created_at"].timestamp())),
        "room": {"sid": row["room_sid"], "name": row["room"]},
        "participant": {"identity": row["identity"], "metadata": json.dumps(content)},
        "replay": content,
    }


def signed(settings: Settings, body: bytes) -> str:
    """The Authorization header of a body: a JWT that bears its SHA-256, valid for 5 minutes."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = AccessToken(settings.events_key, settings.events_secret.get_secret_value())
    return token.with_sha256(digest).with_ttl(timedelta(minutes=5)).to_jwt()


def back_off_seconds(attempts: int) -> float:
    """The pause before the next attempt: 1, 2, 4 … seconds, at most 15 minutes."""
    return float(min(2 ** max(attempts - 1, 0), _MAX_BACK_OFF_SECONDS))


@job(errands.DELIVER, timeout=seconds(90))
async def deliver(ctx: Context, say: Say, room: str) -> None:
    """Sends what is due of a room's events, in their order, until EVENTS_URL takes none now.

    `say(row)` says an event into its live room. It is said once, at the first attempt. An event
    that can't be made or said, or that EVENTS_URL refuses, is in no other one's way. Raises Busy if
    another worker is at it.
    """
    async with (
        ctx.queue.alone(errands.DELIVER, room),
        httpx.AsyncClient(timeout=_SEND_SECONDS) as client,
    ):
        passed_by: set[str] = set()
        while due := await _due(ctx, room, passed_by):
            for event_id in due:
                with rounds.item(room=room, sent=event_id) as attempt:
                    if (taken := await _take(ctx, event_id)) is None:
                        continue  # somebody was faster
                    if taken["attempts"] == 1:
                        with rounds.item(room=room, said=event_id):
                            await say(taken)
                    if not await _send(ctx, client, taken):
                        return
                if attempt.error is not None:
                    passed_by.add(event_id)
                    with rounds.item(room=room, noted=event_id):
                        await _note(ctx, await _event(ctx, event_id), repr(attempt.error))


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
    """Gives a dead event another day. False if there is no such dead event."""
    now = datetime.now(UTC)
    changed = await ctx.store.rows(OutgoingEvent).update_one(
        {"_id": event_id, "state": EventState.DEAD},
        {
            "$set": {
                "state": EventState.PENDING,
                "attempts": 0,
                "next_try_at": now,
                "created_at": now,
            }
        },
    )
    return bool(changed.modified_count)


async def _due(ctx: Context, room: str, passed_by: Collection[str]) -> list[str]:
    """The ids of a room's events that are due, but for some, in their order.

    Of those that belong to no room, the next ones only: communities take turns, or one whose admin
    changes roles all the time would keep the others' waiting for as long.
    Chosen here: asked for an order or a time, the embedded store walks all events of the room.
    """
    pending = {"room": room, "state": EventState.PENDING}
    asked = {"number": 1, "next_try_at": 1, "data.community": 1}
    found = ctx.store.rows(OutgoingEvent).find(pending, asked)
    now = datetime.now(UTC)
    due = [row for row in await found.to_list(None) if _is_due(row, now)]
    due.sort(key=_number)
    due = [row for row in due if row["_id"] not in passed_by]
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


async def _send(ctx: Context, client: httpx.AsyncClient, row: EventRow) -> bool:
    """Sends an event. Returns whether EVENTS_URL may take the next one: it refused this at most."""
    error, goes_on = "", True
    if ctx.settings.events_url:
        body = json.dumps(body_of(row)).encode()
        headers = {
            "Authorization": signed(ctx.settings, body),
            "Content-Type": "application/webhook+json",
        }
        try:
            url = ctx.settings.events_url
            answer = await outside_answers.ask(
                client, "POST", url, seconds=_SEND_SECONDS, content=body, headers=headers
            )
            if not answer.is_success:
                error = f"HTTP {answer.status}"
                is_refused = httpx.codes.is_client_error(answer.status)
                goes_on = is_refused and answer.status not in _NOT_NOW
        except (httpx.HTTPError, TimeoutError) as failure:
            error, goes_on = repr(failure), False
    await _note(ctx, row, error)
    return goes_on


async def _note(ctx: Context, row: EventRow, error: str) -> None:
    now = datetime.now(UTC)
    if not error:
        change: Row = {"state": EventState.DELIVERED, "delivered_at": now, "last_error": ""}
    elif now - row["created_at"] >= GIVE_UP_AFTER:
        metrics.ERRORS.labels("event_dead").inc()
        log.error("event_given_up", id=row["_id"], error=error)
        change = {"state": EventState.DEAD, "last_error": error[:300]}
    else:
        log.warning("event_not_delivered", id=row["_id"], attempt=row["attempts"], error=error)
        pause = timedelta(seconds=back_off_seconds(row["attempts"]))
        change = {"next_try_at": now + pause, "last_error": error[:300]}
    await ctx.store.rows(OutgoingEvent).update_one(
        {"_id": row["_id"], "state": EventState.PENDING}, {"$set": change}
    )
