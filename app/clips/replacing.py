"""A clip takes the place of another: to whom it is open, its link, and whether it is kept.

The other is deleted as DELETE does it: it rests, and can be restored in the place of the first.
The place is given first and left then, in one change each, and only as the rows were read: a link
opens one of both at every instant, and what is closed, or made private, meanwhile is so of both.
That it was given stands in the row since: who goes on gives nothing again that was changed there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.buffer import refused_shares
from app.clips import (
    charging,
    clean_copies,
    clip_access,
    clip_deeds,
    clip_events,
    clip_renditions,
    clip_visibility,
    trash,
    trims,
)
from app.context import Context
from app.models import AuditAction, ClipLoss, ClipRow, Row, TakenPlace, Visibility, Why
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


async def replace(ctx: Context, who: str, old_id: str, new_id: str, *, once: bool = False) -> bool:
    """Gives a clip the place of another one of the same owner's, which is deleted.

    Repeated, it goes on where it was interrupted. False, and nothing is changed, if one of them is
    deleted already. `who`: in whose name the audit has it. `once`: nor if the other was replaced by
    it before, and was restored.
    """
    clips = ctx.store.rows(ReplayClip)
    while True:
        old, new = await clips.find_one({"_id": old_id}), await clips.find_one({"_id": new_id})
        if old is None or new is None:
            return False
        if not clip_access.is_shown(old) and old["replaced_by"] == new_id:
            break  # whoever did that may have been killed before the rest
        if not (clip_access.is_shown(old) and clip_access.is_shown(new)):
            return False
        if once and takes(new, old_id) and not is_under_way(old, new):
            return False
        if not _is_given(old, new) and not await _give(ctx, old, new):
            continue
        if await _leave(ctx, who, old, new_id):
            await clip_events.withdrawn(ctx, who, old, ClipLoss.DELETED)
            break
    await _stay_closed(ctx, new_id)
    await clip_renditions.withdraw_all(ctx, old_id)
    await trash.bound(ctx, old["owner"], datetime.now(UTC))
    await refused_shares.ask_again(ctx, {"identity": old["owner"], "why": Why.QUOTA})
    log.info("clip_replaced", clip=old_id, by_clip=new_id, owner=old["owner"], by=who)
    return True


def takes(new: ClipRow, old_id: str) -> bool:
    """Whether a clip was given the place of another one last, whatever became of both."""
    place = new["in_place_of"]
    return place is not None and place["clip_id"] == old_id


def is_under_way(old: ClipRow, new: ClipRow) -> bool:
    """Whether a clip was given the place of another one that is still to be deleted for it."""
    place = new["in_place_of"]
    return (
        place is not None
        and (place["clip_id"], place["turn"]) == (old["_id"], old["turn"])
        and clip_access.is_shown(old)
    )


def _is_given(old: ClipRow, new: ClipRow) -> bool:
    """Whether nothing is left to give: the other is open as it was, or both were changed since."""
    place = new["in_place_of"]
    if place is None or not is_under_way(old, new):
        return False
    return place["grant"] == old["grant"] or place["own_grant"] != new["grant"]


async def _give(ctx: Context, old: ClipRow, new: ClipRow) -> bool:
    """Opens a clip to whom another is; False if it was changed since its row was read.

    Of what it hides before its start others get nothing, whatever they got of the other: that may
    be what was cut off. One that somebody has closed stays so.
    """
    told = {**old}
    grant = new["grant"] + (new["closed_by"] is None)
    place = TakenPlace(
        clip_id=old["_id"],
        first=_first(old, new),
        grant=old["grant"],
        turn=old["turn"],
        own_grant=grant,
    )
    fields: Row = {
        "keep": old["keep"],
        "deletion_request": old["deletion_request"] or new["deletion_request"],
        "grant": grant,
        "in_place_of": place,
    }
    if new["closed_by"] is None:
        fields |= {name: told[name] for name in _OPENING} | {"hidden_head_shared": False}
        if old["visibility"] != Visibility.PRIVATE:
            await clean_copies.want(ctx, new)
    else:
        # Whoever has closed it sees what they may let be opened again.
        fields["opened"] = new["opened"] or old["opened"]
    return await ctx.store.take(ReplayClip, new, fields, **clip_access.SHOWN) is not None


def _first(old: ClipRow, new: ClipRow) -> str | None:
    """The first of the clips that had a place one after another, and that one is a part of."""
    before = old["in_place_of"] and old["in_place_of"]["first"]
    return next((each for each in (before, old["_id"]) if each in new["ancestors"]), None)


async def _leave(ctx: Context, who: str, old: ClipRow, new_id: str) -> bool:
    """Deletes a clip that has no place any more; False if it was changed since its row was read."""
    now = datetime.now(UTC)
    closing = clip_visibility.fields(
        old, Visibility.PRIVATE, now, timedelta(0), hidden_head=False
    ) | {"grant": old["grant"] + 1, "replaced_by": new_id}
    async with clip_deeds.audited(ctx, who, AuditAction.CLIP_DELETED, old, purge=False) as doing:
        doing.is_done = await charging.hide(ctx, old, now, also=closing)
    return doing.is_done


async def _stay_closed(ctx: Context, new_id: str) -> None:
    """Closes what a clip has replaced, with its trims, if it was closed before that rested."""
    new = await ctx.store.rows(ReplayClip).find_one({"_id": new_id})
    if new is None or (closed_by := new["closed_by"]) is None:
        return

    async def close(row: ClipRow) -> bool:
        closing = clip_visibility.closed(row, closed_by, whole=new)
        return await ctx.store.take(ReplayClip, row, closing) is not None

    await trims.bring(ctx, new["owner"], new_id, clip_visibility.is_closed, close)
