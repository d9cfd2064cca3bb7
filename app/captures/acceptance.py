"""Accepting captures: from a request to a row that promises a clip."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from app import metrics
from app.access import audit, quota, visibility
from app.access.policy import Right
from app.access.tokens import Caller
from app.access.visibility import Permit
from app.buffer import pins
from app.captures import (
    capture_events,
    capture_leases,
    capture_limits,
    capture_target,
    idempotency,
    lifecycle,
    media_arrival,
    row_leases,
    withdrawal,
)
from app.captures.requests import CaptureRequest
from app.captures.size_estimate import estimated_bytes
from app.context import Context
from app.errors import QuotaExceeded, ReplayError, Unavailable
from app.models import AuditAction, CaptureRow, CaptureStatus, SegmentRow, same_request
from app.models.metric_words import ErrorKind
from app.models.schema import Capture, Segment
from app.store import row_of
from app.tracing import trace
from app.viewing import windows
from app.viewing.timeline import Timeline
from app.work import errands

log = structlog.get_logger()


async def accept(
    ctx: Context, caller: Caller, request: CaptureRequest, idempotency_key: str | None = None
) -> CaptureRow:
    """The row of a capture that will be made. Its media is pinned and its quota reserved.

    With a key that the caller has used of late it is the capture accepted then. Raises
    NotPermitted, NotFound, BufferEmpty, Invalid, WindowTooLong, TooManyCaptures, QuotaExceeded,
    Conflict (the key was used for another request).
    """

    async def asked() -> Capture:
        return await permitted(ctx, caller, request)

    return await accept_once(ctx, caller, asked, same_request.hash_of(request), idempotency_key)


async def accept_once(
    ctx: Context,
    caller: Caller,
    asked: Callable[[], Awaitable[Capture]],
    request_hash: str,
    idempotency_key: str | None,
) -> CaptureRow:
    """The row of the capture that `asked` gives, or of the one that was accepted under the key.

    The row comes first, as `accepting`, so that whatever is taken for it afterwards can be found
    and given back if this process dies; `queued` makes it a promise. Raises what `asked` raises,
    TooManyCaptures, QuotaExceeded, Conflict.
    """
    while True:
        known = await idempotency.accepted_before(ctx, caller, request_hash, idempotency_key)
        if known is not None:
            return known
        capture = await asked()
        capture.idempotency_key, capture.request_hash = idempotency_key, request_hash
        if await ctx.store.create(capture):
            break  # otherwise the same key came at the same moment
    trace.tell({"replay.capture.id": capture.id, "replay.buffer.id": capture.buffer_id})
    row = await _promised(ctx, row_of(capture))
    log.info("capture_accepted", capture=row["_id"], buffer=row["buffer_id"], by=caller.identity)
    await note(ctx, row)
    try:
        await ctx.queue.ask(errands.CAPTURE, row["_id"], turn=row["generation"])
    except RedisError as error:
        # The row is the promise; it is asked for again as soon as the queue is back.
        log.warning("capture_not_queued", capture=row["_id"], error=repr(error))
    return row


async def note(ctx: Context, row: CaptureRow) -> None:
    """Writes the audit of a capture that was accepted, once: whoever did may have been killed."""
    await audit.note(
        ctx.store,
        row["caller"],
        AuditAction.CAPTURED,
        row["_id"],
        room=row["room"],
        entry_id=row["_id"],
        shared_by=row["identity"],
        clip_id=row["clip_id"],
        **({"trimmed_from": row["trim"]["clip_id"]} if row["trim"] else {}),
    )


async def give_up(ctx: Context, row: CaptureRow) -> None:
    """Takes back the acceptance of somebody who took too long, or was killed."""
    await quota.bar(ctx.store, row["caller"], row["clip_id"])
    await _drop(ctx, row)


async def _undo(ctx: Context, row: CaptureRow) -> None:
    """Takes back an acceptance of our own that came to nothing."""
    await quota.give_back(ctx.store, row["caller"], row["clip_id"])
    await _drop(ctx, row)


async def _drop(ctx: Context, row: CaptureRow) -> None:
    await pins.release(ctx.store, row["_id"])
    await lifecycle.drop(ctx.store, row["_id"])


async def permitted(ctx: Context, caller: Caller, request: CaptureRequest) -> Capture:
    """The row that a request becomes, if the caller may capture what it asks for.

    Raises NotPermitted, NotFound, BufferEmpty, Invalid, WindowTooLong.
    """
    now = datetime.now(UTC)
    line = await capture_target.find(ctx, caller, request, now)
    share = visibility.share_in(line)
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    if permit.right < Right.WITNESS:
        raise visibility.refusal(caller, share.identity, share.room)
    return _capture(ctx, caller, request, line, permit, now)


def _capture(
    ctx: Context,
    caller: Caller,
    request: CaptureRequest,
    line: Timeline,
    permit: Permit,
    now: datetime,
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
        stays=permit.stays,
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
        cut=request.cut if window.stays is None else withdrawal.to_the_frame(request.cut),
        gaps=request.gaps,
        tail=request.tail,
        requested_start=window.requested_start,
        requested_end=window.requested_end,
        window_start=window.start,
        window_end=window.end,
        wait_until=window.wait_until,
        spans=[dict(each) for each in window.ranges],
        notes=list(window.notes),
        by_rules=permit.by_rules,
        accepted_at=now,
        status=CaptureStatus.ACCEPTING,
        lease=capture_leases.ACCEPTANCE,
        lease_until=row_leases.until(),
    )


async def _promised(ctx: Context, row: CaptureRow) -> CaptureRow:
    """The row once it is a promise. It is gone if it can't be one."""
    try:
        return await _promise(ctx, row)
    except ReplayError as error:
        await _undo(ctx, row)
        metrics.ERRORS.labels(ErrorKind.of_capture(error.slug)).inc()
        if isinstance(error, QuotaExceeded):
            await capture_events.quota_exceeded(ctx, row, error)
        raise


async def _promise(ctx: Context, row: CaptureRow) -> CaptureRow:
    waits = row["wait_until"] > row["accepted_at"]
    if waits and row["by_rules"]:
        # A change of the rules meanwhile has not seen this row, or this sees the change.
        row = await withdrawal.of_capture(ctx, row, row["accepted_at"])
    await capture_limits.check(ctx, row)
    await pins.pin(
        ctx.store,
        row["_id"],
        row["spans"],
        row["wait_until"] + media_arrival.PIN_LIFE,
        open_ended=waits,
    )
    # Of a trim it was reckoned when its clip was looked up.
    size_bytes = row["reserved_bytes"] or estimated_bytes(
        await _sizes(ctx, row), row["window_start"], row["window_end"], waits=waits
    )
    await quota.reserve(ctx.store, ctx.settings, row["caller"], row["clip_id"], size_bytes)
    lease = capture_leases.free()
    moved = await lifecycle.move(
        ctx.store,
        row["_id"],
        CaptureStatus.QUEUED,
        {**lease, "reserved_bytes": size_bytes},
        lease=capture_leases.ACCEPTANCE,
    )
    if moved is None:  # it took so long that it was given up: see requeue_expired
        raise Unavailable("accepting the capture took too long: try again", retry_after=1)
    return {**row, **lease, "status": moved, "reserved_bytes": size_bytes}


async def _sizes(ctx: Context, row: CaptureRow) -> list[SegmentRow]:
    inside = {
        "buffer_id": row["buffer_id"],
        "end": {"$gt": row["window_start"], "$lte": row["window_end"] + timedelta(seconds=30)},
    }
    found = ctx.store.rows(Segment).find(inside, {"size_bytes": 1, "start": 1, "end": 1})
    return await found.to_list(None)
