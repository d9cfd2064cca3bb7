"""What whoever a clip shows, and the admin of its room, may do about it besides deleting it.

They close it: it is private then, and only they let it be opened again. Or they ask its owner to
delete it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from app.access import deeds, policy
from app.access.policy import ClipRight
from app.access.tokens import Caller
from app.clips import clip_access, clip_deeds, clip_events, clip_visibility, library, trims
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import Conflict, NotFound, NotPermitted
from app.models import AuditAction, ClipLoss, ClipRow, DeedRow, DeletionRequest, Visibility
from app.models.schema import ReplayClip

log = structlog.get_logger()


async def close(ctx: Context, caller: Caller, clip_id: str) -> Clip:
    """Makes a clip of somebody else's private, and has it stay so: its link and its URLs end.

    So do its trims, and theirs. Whom it shows, and the admin of its room, go on seeing it. Closed
    again it stays as it is. Raises NotFound, NotPermitted, Conflict if it is private already.
    """
    while True:
        row = await _others(ctx, caller, clip_id, ClipRight.CLOSE)
        if row["closed_by"] is not None:
            return await library.with_file(ctx, row)
        if row["visibility"] == Visibility.PRIVATE:
            raise Conflict("the clip is private: nobody but its owner can open it")
        closed = await _closed(ctx, caller.identity, row, **clip_access.SHOWN)
        if closed is not None:
            return await library.with_file(ctx, closed)


async def go_on(ctx: Context, deed: DeedRow) -> None:
    """Does what follows of a change of a clip whose process was killed, if that was done."""
    is_closing = deed["data"].get("closed") and not deeds.is_part(deed)
    if is_closing and await clip_deeds.is_done(ctx, deed):
        row = await ctx.store.rows(ReplayClip).find_one({"_id": deed["subject"]})
        if row is not None:
            await _follow(ctx, deed, row)
    await deeds.if_done(ctx.store, partial(clip_deeds.is_done, ctx))(deed)


async def _follow(ctx: Context, deed: DeedRow, whole: ClipRow) -> None:
    """Does what follows of a clip's closing: its owner hears of it, its trims are closed, too.

    Also what was trimmed from these: else its owner would open that instead. What is deleted may
    come back. What is trimmed later is closed when it is made.
    """
    who = deed["identity"]
    await clip_events.withdrawn(ctx, who, whole, ClipLoss.CLOSED)

    async def close_one(row: ClipRow) -> bool:
        return await _closed(ctx, who, row, part_of=deed, whole=whole) is not None

    await trims.bring(ctx, whole["owner"], whole["_id"], clip_visibility.is_closed, close_one)


async def _closed(
    ctx: Context,
    who: str,
    row: ClipRow,
    *,
    part_of: DeedRow | None = None,
    whole: ClipRow | None = None,
    **where: Any,
) -> ClipRow | None:
    """The row of a clip that is closed now; None if it, or `where` it must be, has changed.

    `part_of`: what closes the clip that it was trimmed from, `whole`, or whose place that has.
    """
    fields, action = clip_visibility.closed(row, who, whole=whole), AuditAction.CLIP_CHANGED
    async with clip_deeds.audited(ctx, who, action, row, part_of=part_of, closed=True) as doing:
        taken = await ctx.store.take(ReplayClip, row, fields, **where)
        doing.is_done = taken is not None
        if taken is not None and part_of is None:
            await _follow(ctx, doing.deed, taken)
    if taken is not None:
        log.info("clip_closed", clip=row["_id"], owner=row["owner"], by=who)
    return taken


async def reopen(ctx: Context, caller: Caller, clip_id: str) -> Clip:
    """Lets a clip be opened again by its owner; it stays private until they do.

    Raises NotFound, NotPermitted to others than who has closed it and the instance's admin.
    """
    while True:
        row = await _others(ctx, caller, clip_id, ClipRight.ASK)
        closed_by = row["closed_by"]
        if closed_by is None:
            return await library.with_file(ctx, row)
        if not policy.may_reopen(caller, closed_by):
            raise NotPermitted(f"only {closed_by!r}, who has closed it, may do this")
        who, action = caller.identity, AuditAction.CLIP_CHANGED
        async with clip_deeds.audited(ctx, who, action, row, closed=False) as doing:
            taken = await ctx.store.take(ReplayClip, row, {"closed_by": None}, **clip_access.SHOWN)
            doing.is_done = taken is not None
        if taken is not None:
            return await library.with_file(ctx, taken)


async def request_deletion(ctx: Context, caller: Caller, clip_id: str, reason: str) -> Clip:
    """Asks a clip's owner to delete it; the newest request stands in its row.

    Raises NotFound, NotPermitted.
    """
    row = await _others(ctx, caller, clip_id, ClipRight.ASK)
    request: DeletionRequest = {
        "requested_by": caller.identity,
        "reason": reason,
        "requested_at": datetime.now(UTC),
    }
    who, action = caller.identity, AuditAction.DELETION_REQUESTED
    async with clip_deeds.audited(ctx, who, action, row, reason=reason):
        changed = await ctx.store.rows(ReplayClip).update_one(
            {"_id": clip_id} | clip_access.SHOWN, {"$set": {"deletion_request": request}}
        )
        if not changed.matched_count:
            raise NotFound(clip_access.NO_CLIP)
    await clip_events.deletion_requested(ctx, caller, row, reason)
    return await library.with_file(ctx, {**row, "deletion_request": request})


async def _others(ctx: Context, caller: Caller, clip_id: str, least: ClipRight) -> ClipRow:
    """The row of a clip of somebody else's."""
    row, _ = await clip_access.permitted(ctx, caller, clip_id, least)
    if row["owner"] == caller.identity:
        raise NotPermitted("it is your own clip: make it private, or delete it")
    return row
