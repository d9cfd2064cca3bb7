"""Erases a share, or its last part, as its sharer wants: captures end, then what was recorded goes.

It is hidden at once; the worker deletes the files, of which there may be hundreds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from app import metrics
from app.access import deeds, generations
from app.access.generations import Endable
from app.access.tokens import Caller
from app.buffer import summary
from app.captures import endings
from app.cleaning import erasure, part_erasure
from app.context import Context
from app.errors import TooManyRequests
from app.events import outbox
from app.events.contents import BufferErasedContent
from app.models import AuditAction, BufferRow, DeedRow, ErasedRange, Stopper, instants
from app.models.schema import Buffer
from app.store import dated
from app.work import errands, rounds
from app.work.jobs import job, seconds

MOST_UNDER_WAY = 30
"""Of one share. One is done when a segment that began later is indexed."""

log = structlog.get_logger()


async def erase_share(ctx: Context, caller: Caller, buffer: BufferRow) -> None:
    """Hides at once what was recorded of a share up to now, and has it deleted.

    Clips made before stay. The sharer's own word ends the URLs of all their shares, too; that of an
    admin, who may have no say elsewhere, only what they show of this one.
    """
    until = await summary.recorded_until(ctx.store, buffer["_id"], datetime.now(UTC))
    await carry_out(ctx, await _meant(ctx, caller, buffer, None, until))
    await _hurry(ctx, buffer["_id"])


async def erase_last(ctx: Context, caller: Caller, buffer: BufferRow, length: timedelta) -> None:
    """Hides at once what was recorded of a share within a time up to now, and has it deleted.

    Up to now by the clock of its media, too, where that is ahead.
    Captures of it that are being made fail; others are made without it. Clips made before stay.
    Raises TooManyRequests if too many such deletions are under way.
    """
    now = datetime.now(UTC)
    until = await summary.recorded_until(ctx.store, buffer["_id"], now)
    deed = await _meant(ctx, caller, buffer, now - length, until)
    try:
        await carry_out(ctx, deed, most=MOST_UNDER_WAY)
    except TooManyRequests:
        await deeds.over(ctx.store, deed)
        raise
    await _hurry(ctx, buffer["_id"])


async def _meant(
    ctx: Context, caller: Caller, buffer: BufferRow, start: datetime | None, end: datetime
) -> DeedRow:
    """Writes down who has what deleted; `start` None: from the beginning."""
    return await deeds.mean(
        ctx.store,
        caller.identity,
        AuditAction.BUFFER_FORGOTTEN,
        buffer["_id"],
        room=buffer["room"],
        shared_by=buffer["identity"],
        start=None if start is None else instants.written(part_erasure.cut(start)),
        end=instants.written(part_erasure.cut(end)),
    )


async def carry_out(ctx: Context, deed: DeedRow, *, most: int | None = None) -> None:
    """Does what somebody wants deleted, as far as nobody is to wait for: the rest is promised.

    Done again, by whoever finds that the first was killed, it changes nothing. Raises
    TooManyRequests, and nothing is done, if `most` deletions of parts are under way.
    """
    buffer = await ctx.store.rows(Buffer).find_one({"_id": deed["subject"]})
    if buffer is not None:
        end = datetime.fromisoformat(deed["data"]["end"])
        if deed["data"]["start"] is None:
            await _erase(ctx, deed, buffer, end)
        else:
            start = datetime.fromisoformat(deed["data"]["start"])
            part = await part_erasure.promise(ctx.store, buffer["_id"], start, end, most=most)
            await _tell(ctx, deed, buffer)
            await part_erasure.hide(ctx, buffer["_id"], part)
            await _settle(ctx, buffer["_id"], part)
    await deeds.over(ctx.store, deed)


async def _erase(ctx: Context, deed: DeedRow, buffer: BufferRow, until: datetime) -> None:
    await erasure.promise(ctx.store, buffer["_id"], until)
    await _tell(ctx, deed, buffer)
    if deed["identity"] == buffer["identity"]:
        await generations.end(
            ctx.store, ctx.settings, ctx.instance, buffer["identity"], [Endable.SHARING]
        )
    await endings.cancel_all_of(ctx, buffer["_id"], until)
    await erasure.hide(ctx, buffer["_id"], until)


async def _tell(ctx: Context, deed: DeedRow, buffer: BufferRow) -> None:
    """Writes the audit of a deletion, and tells of it."""
    if await deeds.note(ctx.store, deed):
        is_sharer = deed["identity"] == buffer["identity"]
        metrics.DELETIONS.labels(Stopper.SHARER if is_sharer else Stopper.ADMIN).inc()
    content = BufferErasedContent(
        buffer_id=buffer["_id"],
        community=buffer["community"],
        erased_by=deed["identity"],
        start=deed["data"]["start"],
        end=deed["data"]["end"],
    )
    await outbox.tell_of(ctx, content, deed["_id"], buffer, identity=buffer["identity"])


async def _hurry(ctx: Context, buffer_id: str) -> None:
    try:
        await ctx.queue.ask(errands.ERASE, buffer_id)
    except RedisError as error:
        # The buffer's row is the promise; go_on_with_all keeps it.
        log.warning("erasure_not_queued", buffer=buffer_id, error=repr(error))


@job(errands.ERASE, timeout=seconds(90))
async def go_on(ctx: Context, buffer_id: str) -> None:
    """One pass over a share of which all, or parts, are to be erased."""
    fields = {"forget_before": 1, "forget_ranges": 1}
    row = await ctx.store.rows(Buffer).find_one({"_id": buffer_id}, fields)
    if row is None:
        return
    if row["forget_before"] is not None:
        ended_all = await endings.cancel_all_of(ctx, buffer_id, row["forget_before"])
        await erasure.erase(ctx, buffer_id)
        if not ended_all:
            # its media went, but a capture of it goes on: the next pass tries again
            await erasure.promise(ctx.store, buffer_id, row["forget_before"])
    settled = [await _settle(ctx, buffer_id, part) for part in row["forget_ranges"]]
    await part_erasure.erase(ctx, buffer_id, settled)


async def _settle(ctx: Context, buffer_id: str, part: ErasedRange) -> ErasedRange:
    """Ends what may have read a range before it was to go, unless that is done."""
    if part["captures_ended"]:
        return part
    start, end = await part_erasure.extent(ctx, buffer_id, part)
    if not await endings.fail_running_of(ctx, buffer_id, start, end):
        return part
    return await part_erasure.note_captures_ended(ctx.store, buffer_id, part)


@job("forget_shares", every=seconds(5), timeout=seconds(90))
async def go_on_with_all(ctx: Context) -> None:
    """Deletes what is left of every share that is to be erased: what is committed late, too."""
    promised: set[str] = set()
    for said in ("forget_before", "forget_ranges.start"):  # an index serves each, but no `or`
        found = ctx.store.rows(Buffer).find({said: dated()}, {"_id": 1})
        promised |= {row["_id"] async for row in found}
    for buffer_id in sorted(promised):
        with rounds.item(buffer=buffer_id):
            await go_on(ctx, buffer_id)
