"""Erases a share, as its sharer wants: its captures end, then what was recorded of it goes.

It is hidden at once; the worker deletes the files, of which there may be hundreds.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from app.access import audit, generations
from app.access.generations import Endable
from app.access.tokens import Caller
from app.captures import endings
from app.cleaning import erasure
from app.context import Context
from app.models import AuditAction, BufferRow
from app.models.schema import Buffer
from app.store import dated
from app.work import errands, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()


async def erase_share(ctx: Context, caller: Caller, buffer: BufferRow) -> None:
    """Hides at once what was recorded of a share up to now, and has it deleted.

    Clips made before stay.
    """
    now = datetime.now(UTC)
    await erasure.promise(ctx.store, buffer["_id"], now)
    await audit.note(
        ctx.store,
        caller.identity,
        AuditAction.BUFFER_FORGOTTEN,
        buffer["_id"],
        room=buffer["room"],
        shared_by=buffer["identity"],
    )
    await generations.end(
        ctx.store, ctx.settings, ctx.instance, buffer["identity"], [Endable.SHARING]
    )
    await endings.cancel_all_of(ctx, buffer["_id"], now)
    await erasure.hide(ctx, buffer["_id"], now)
    try:
        await ctx.queue.ask(errands.ERASE, buffer["_id"])
    except RedisError as error:
        # The buffer's row is the promise; go_on_with_all keeps it.
        log.warning("erasure_not_queued", buffer=buffer["_id"], error=repr(error))


@job(errands.ERASE, timeout=seconds(90))
async def go_on(ctx: Context, buffer_id: str) -> None:
    """One pass over a share that is to be erased."""
    row = await ctx.store.rows(Buffer).find_one({"_id": buffer_id}, {"forget_before": 1})
    if row is not None and row["forget_before"] is not None:
        ended_all = await endings.cancel_all_of(ctx, buffer_id, row["forget_before"])
        await erasure.erase(ctx, buffer_id)
        if not ended_all:
            # its media went, but a capture of it goes on: the next pass tries again
            await erasure.promise(ctx.store, buffer_id, row["forget_before"])


@job("forget_shares", every=seconds(5), timeout=seconds(90))
async def go_on_with_all(ctx: Context) -> None:
    """Deletes what is left of every share that is to be erased: what is committed late, too."""
    promised = {"forget_before": dated()}
    for row in await ctx.store.rows(Buffer).find(promised, {"_id": 1}).to_list(None):
        with rounds.item(buffer=row["_id"]):
            await go_on(ctx, row["_id"])
