"""Accepting captures: from a request to a row that promises a clip."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from app import metrics
from app.access import audit, quota, visibility
from app.access.tokens import Caller
from app.buffer import pins
from app.captures import capture_events, capture_leases, capture_limits
from app.captures.requests import CaptureRequest
from app.captures.size_estimate import estimated_bytes
from app.context import Context
from app.errors import (
    BufferEmpty,
    Conflict,
    NotFound,
    QuotaExceeded,
    ReplayError,
    Unavailable,
)
from app.models import CaptureStatus, Row
from app.models.schema import Capture, Segment
from app.viewing import timeline, windows
from app.viewing.timeline import Timeline
from app.work import errands

KEY_LIFE = timedelta(hours=24)
PIN_LIFE = timedelta(hours=1)
"""How long after its media is due a capture may still find it: an outage of all workers."""
_ACCEPTING = "accepting"
_SAME_KEY_SECONDS = 10.0

log = structlog.get_logger()


async def accept(
    ctx: Context, caller: Caller, request: CaptureRequest, idempotency_key: str | None = None
) -> Row:
    """The row of a capture that will be made. Its media is pinned and its quota reserved.

    With a key that the caller has used within KEY_LIFE it is the capture accepted then.

    The row comes first, as `accepting`, so that whatever is taken for it afterwards can be found
    and given back if this process dies; `queued` makes it a promise.

    Raises NotPermitted, NotFound, BufferEmpty, Invalid, WindowTooLong, TooManyCaptures,
    QuotaExceeded, Conflict (the key was used for another request).
    """
    while True:
        if idempotency_key is not None:
            known = await _accepted_before(ctx, caller, request, idempotency_key)
            if known is not None:
                return known
        now = datetime.now(UTC)
        line = await _timeline(ctx, caller, request, now)
        capture = _capture(ctx, caller, request, line, now)
        window = (capture.window_start, capture.window_end)
        share = visibility.share_in(line)
        await visibility.check(ctx.store, ctx.settings, caller, share, window)
        capture.idempotency_key = idempotency_key
        if await ctx.store.create(capture):
            break  # otherwise the same key came at the same moment
    row = capture.model_dump_doc()
    try:
        row = await _promise(ctx, row, waits=capture.wait_until > now)
    except ReplayError as error:
        await undo(ctx, row)
        metrics.ERRORS.labels(error.slug.replace("-", "_")).inc()
        if isinstance(error, QuotaExceeded):
            await capture_events.quota_exceeded(ctx, row, error)
        raise
    log.info("capture_accepted", capture=row["_id"], buffer=row["buffer_id"], by=caller.identity)
    await audit.note(
        ctx.store,
        caller.identity,
        "captured",
        row["_id"],
        room=row["room"],
        shared_by=row["identity"],
        clip_id=row["clip_id"],
    )
    try:
        await ctx.queue.ask(errands.CAPTURE, row["_id"], turn=row["generation"])
    except RedisError as error:
        # The row is the promise; it is queued again as soon as the queue is back.
        log.warning("capture_not_queued", capture=row["_id"], error=repr(error))
    return row


async def find(ctx: Context, caller: Caller, capture_id: str) -> Row:
    """A capture of the caller's. Raises NotFound, also for somebody else's."""
    mine = {"_id": capture_id}
    mine |= {} if caller.instance_admin else {"caller": caller.identity}
    mine |= {} if caller.room is None else {"room": caller.room}
    row = await ctx.store.rows(Capture).find_one(mine)
    if row is None or row["status"] == CaptureStatus.ACCEPTING:
        raise NotFound("there is no such capture, or it is not yours")
    return row


async def undo(ctx: Context, row: Row) -> None:
    """Takes back an acceptance that came to nothing."""
    await quota.give_back(ctx.store, row["caller"], row["clip_id"])
    await pins.release(ctx.store, row["_id"])
    await ctx.store.rows(Capture).delete_one({"_id": row["_id"], "status": CaptureStatus.ACCEPTING})


async def _accepted_before(
    ctx: Context, caller: Caller, request: CaptureRequest, key: str
) -> Row | None:
    rows = ctx.store.rows(Capture)
    deadline = time.monotonic() + _SAME_KEY_SECONDS
    while row := await rows.find_one({"caller": caller.identity, "idempotency_key": key}):
        if row["accepted_at"] < datetime.now(UTC) - KEY_LIFE:
            await rows.update_one(
                {"_id": row["_id"], "idempotency_key": key}, {"$set": {"idempotency_key": None}}
            )
            continue
        if row["request_hash"] != request.hash:
            raise Conflict(f"the Idempotency-Key {key!r} was used for another request before")
        if row["status"] != CaptureStatus.ACCEPTING:
            return dict(row)
        if time.monotonic() > deadline:
            raise Unavailable(
                "the same request is just being accepted: try again",
                retry_after=capture_limits.RETRY_SECONDS,
            )
        await asyncio.sleep(0.02)
    return None


async def _timeline(
    ctx: Context, caller: Caller, request: CaptureRequest, now: datetime
) -> Timeline:
    if request.buffer is not None:
        found = await timeline.read(ctx.store, request.buffer, now, ctx.settings)
        if found is None or not await visibility.right(
            ctx.store, ctx.settings, caller, visibility.share_in(found)
        ):
            raise NotFound("there is no such buffer, or it is not yours to capture")
        return found
    room, identity = request.room or "", request.identity or caller.identity
    query: Row = {"room": room, "identity": identity}
    query |= {} if request.share is None else {"video_sid": request.share}
    seen = await visibility.scope(ctx.store, ctx.settings, caller)
    newest = await timeline.listing(
        ctx.store, {"$and": [seen, query]} if seen else query, now, ctx.settings, limit=1
    )
    if newest:
        return newest[0]
    if not visibility.sees_all_of(caller, room, identity):
        # The same whether there is such a share or not.
        raise visibility.refusal(caller, identity, room)
    raise BufferEmpty(
        f"no share of {identity!r} in {room!r} is known", retry_after=capture_limits.RETRY_SECONDS
    )


def _capture(
    ctx: Context, caller: Caller, request: CaptureRequest, line: Timeline, now: datetime
) -> Capture:
    window = windows.resolve(
        line,
        now,
        ctx.settings,
        last=request.last,
        start=request.start,
        end=request.end,
        post_roll=request.post_roll,
        tail=request.tail,
    )
    return Capture(
        id=secrets.token_hex(12),
        clip_id=secrets.token_hex(12),
        buffer_id=line.buffer_id,
        caller=caller.identity,
        room=line.room,
        room_sid=line.room_sid,
        identity=line.identity,
        community=line.community,
        title=request.title,
        cut=request.cut,
        gaps=request.gaps,
        tail=request.tail,
        requested_start=window.requested_start,
        requested_end=window.requested_end,
        window_start=window.start,
        window_end=window.end,
        wait_until=window.wait_until,
        spans=[dict(span) for span in window.spans],
        notes=list(window.notes),
        accepted_at=now,
        request_hash=request.hash,
        status=CaptureStatus.ACCEPTING,
        lease=_ACCEPTING,
        lease_until=capture_leases.until(),
    )


async def _promise(ctx: Context, row: Row, *, waits: bool) -> Row:
    await capture_limits.check(ctx, row)
    await pins.pin(
        ctx.store, row["_id"], row["spans"], row["wait_until"] + PIN_LIFE, open_ended=waits
    )
    size_bytes = estimated_bytes(
        await _sizes(ctx, row), row["window_start"], row["window_end"], waits=waits
    )
    await quota.reserve(ctx.store, ctx.settings, row["caller"], row["clip_id"], size_bytes)
    promise: dict[str, Any] = {
        "status": CaptureStatus.QUEUED,
        "reserved_bytes": size_bytes,
        "lease": None,
        "lease_until": capture_leases.until(),
    }
    changed = await ctx.store.rows(Capture).update_one(
        {"_id": row["_id"], "lease": _ACCEPTING}, {"$set": promise}
    )
    if not changed.matched_count:  # it took so long that it was given up: see capturing
        raise Unavailable("accepting the capture took too long: try again", retry_after=1)
    return row | promise


async def _sizes(ctx: Context, row: Row) -> list[Row]:
    inside = {
        "buffer_id": row["buffer_id"],
        "end": {"$gt": row["window_start"], "$lte": row["window_end"] + timedelta(seconds=30)},
        "start": {"$lt": row["window_end"]},
    }
    found = ctx.store.rows(Segment).find(inside, {"size_bytes": 1, "start": 1, "end": 1})
    return await found.to_list(None)
