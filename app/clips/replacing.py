"""A clip takes the place of another: to whom it is open, its link, and whether it is kept.

The other is deleted as DELETE does it: it rests, and can be restored in the place of the first.
The place is given first and left then, in one change each, and only as the rows were read: a link
opens one of both at every instant, and what is closed, or made private, meanwhile is so of both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.clips import (
    charging,
    clean_copies,
    clip_access,
    clip_deeds,
    clip_events,
    clip_renditions,
    clip_visibility,
    trash,
)
from app.context import Context
from app.models import AuditAction, ClipLoss, ClipRow, Row, Visibility
from app.models.schema import ReplayClip

_OPENING = (
    "visibility",
    "audience",
    "opened",
    "link_secret",
    "link_expires_at",
    "link_tells",
    "views",
    "closed_by",
)

log = structlog.get_logger()


async def replace(ctx: Context, who: str, old_id: str, new_id: str) -> bool:
    """Gives a clip the place of another one of the same owner's, which is deleted.

    Repeated, it goes on where it was interrupted. False, and nothing is changed, if one of them is
    deleted already. `who`: in whose name the audit has it.
    """
    clips = ctx.store.rows(ReplayClip)
    while True:
        old = await clips.find_one({"_id": old_id} | clip_access.SHOWN)
        new = await clips.find_one({"_id": new_id} | clip_access.SHOWN)
        if old is None or new is None:
            return False
        if await _give(ctx, old, new) and await _leave(ctx, who, old):
            break
    await clip_renditions.withdraw_all(ctx, old_id)
    await clip_events.withdrawn(ctx, who, old, ClipLoss.DELETED)
    await trash.bound(ctx, old["owner"], datetime.now(UTC))
    log.info("clip_replaced", clip=old_id, by_clip=new_id, owner=old["owner"], by=who)
    return True


async def _give(ctx: Context, old: ClipRow, new: ClipRow) -> bool:
    """Opens a clip to whom another is; False if it was changed since its row was read.

    Of what it hides before its start others get nothing, whatever they got of the other: that may
    be what was cut off. One that somebody has closed stays so.
    """
    told = {**old}
    fields: Row = {
        "keep": old["keep"],
        "deletion_request": old["deletion_request"] or new["deletion_request"],
    }
    if new["closed_by"] is None:
        fields |= {name: told[name] for name in _OPENING}
        fields |= {"hidden_head_shared": False, "grant": new["grant"] + 1}
        if old["visibility"] != Visibility.PRIVATE:
            await clean_copies.want(ctx, new)
    return await ctx.store.take(ReplayClip, new, fields, **clip_access.SHOWN) is not None


async def _leave(ctx: Context, who: str, old: ClipRow) -> bool:
    """Deletes a clip that has no place any more; False if it was changed since its row was read."""
    now = datetime.now(UTC)
    closing = clip_visibility.fields(
        old, Visibility.PRIVATE, now, timedelta(0), hidden_head=False
    ) | {"grant": old["grant"] + 1}
    async with clip_deeds.audited(ctx, who, AuditAction.CLIP_DELETED, old, purge=False) as doing:
        doing.is_done = await charging.hide(ctx, old, now, also=closing)
    return doing.is_done
