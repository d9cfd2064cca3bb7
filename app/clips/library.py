"""The clips that people keep: found, changed, deleted and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.access import deeds
from app.access.policy import ClipRight
from app.access.tokens import Caller
from app.clips import (
    charging,
    clean_copies,
    clip_access,
    clip_deeds,
    clip_events,
    clip_renditions,
    clip_report,
    clip_visibility,
    replacing,
    trash,
    trims,
)
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import Conflict, Gone, NotFound, QuotaExceeded
from app.models import AuditAction, ClipLoss, ClipRow, DeedRow, FileRow, Visibility
from app.models.schema import File, ReplayClip

NO_FILE = "there is no such file, or it is not yours"

log = structlog.get_logger()


async def find(ctx: Context, caller: Caller, clip_id: str) -> Clip:
    """One clip. Raises NotFound, whether it does not exist or is somebody else's."""
    return await with_file(ctx, await clip_access.readable(ctx, caller, clip_id))


async def change(
    ctx: Context,
    caller: Caller,
    clip_id: str,
    changes: dict[str, Any],
    *,
    link_days: float | None = None,
    hidden_head: bool | None = None,
) -> Clip:
    """Sets fields of a clip: title, keep, visibility. From now on it is as they say.

    `link_days`: how long a link holds, default LINK_DAYS. `hidden_head`: whether others get the
    clip's own file, with what it hides before its start, as long as it is open as it is then.
    Raises NotFound, NotPermitted, NoPublicUrl, Conflict if somebody has closed it and it is to be
    open.
    """
    row = await clip_access.changeable(ctx, caller, clip_id)
    if changes.get("visibility") == Visibility.LINK and ctx.settings.is_placeless:
        raise clip_visibility.NoPublicUrl(
            f"it would begin with {ctx.settings.base_url}, where nobody reaches this instance: "
            "whoever runs it has to set PUBLIC_URL"
        )
    if changes or hidden_head is not None:
        life = timedelta(days=link_days or ctx.settings.link_days)
        who, action = caller.identity, AuditAction.CLIP_CHANGED
        async with clip_deeds.audited(ctx, who, action, row, **changes):
            while not await _set(ctx, row, changes, life, hidden_head=hidden_head):
                # Somebody has changed it since: what a link was may be a link no more.
                row = await clip_access.changeable(ctx, caller, clip_id)
    return await find(ctx, caller, clip_id)


async def _set(
    ctx: Context,
    row: ClipRow,
    changes: dict[str, Any],
    life: timedelta,
    *,
    hidden_head: bool | None,
) -> bool:
    """Sets fields of a clip, and what follows from them; False if it was changed since `row`.

    Raises Conflict if somebody has closed it, and it is to be open.
    """
    fields = changes
    if "visibility" in changes:
        if changes["visibility"] != Visibility.PRIVATE:
            clip_visibility.check_not_closed(row)
        opened = clip_visibility.fields(
            row, changes["visibility"], datetime.now(UTC), life, hidden_head=hidden_head
        )
        fields = changes | opened | {"grant": row["grant"] + 1}
    elif hidden_head is not None:
        shared = hidden_head and row["visibility"] != Visibility.PRIVATE
        fields = changes | {"hidden_head_shared": shared, "grant": row["grant"] + 1}
    left = fields.get("visibility", row["visibility"]) != Visibility.PRIVATE
    if left and fields.get("hidden_head_shared") is False:
        await clean_copies.want(ctx, row)
    return await ctx.store.take(ReplayClip, row, fields, **clip_access.SHOWN) is not None


async def delete(
    ctx: Context,
    caller: Caller,
    clip_id: str,
    *,
    purge: bool = False,
    now: datetime | None = None,
) -> str:
    """Hides a clip and frees its quota; the file goes TRASH_DAYS later at most. Whose clip it was.

    `purge`: as if it had rested for so long, also of one that rests: nobody restores it any more,
    and the next sweep removes it. So it is whenever whom it shows, or an admin of its room, deletes
    it: its owner does not get it back. What others than its owner purge goes with all that was
    trimmed from it. Raises NotFound, NotPermitted.
    """
    now = now or datetime.now(UTC)
    while True:
        row, right = await clip_access.deletable(ctx, caller, clip_id, purge=purge)
        purge = purge or right < ClipRight.CHANGE
        since = now - ctx.settings.trash if purge else now
        if not row["ready"]:
            raise NotFound(clip_access.NO_CLIP)
        if await _delete(ctx, caller.identity, row, since, purge=purge):
            break
    if not purge:
        await trash.bound(ctx, row["owner"], now)
    return str(row["owner"])


async def go_on(ctx: Context, deed: DeedRow) -> None:
    """Does what follows of a deletion whose process was killed, if that was done."""
    is_whole = deed["data"]["purge"] and not deeds.is_part(deed)
    others = deed["identity"] != deed["data"]["owner"]
    if is_whole and others and await clip_deeds.is_done(ctx, deed):
        await _purge_trims(ctx, deed, deed["at"])
    await deeds.if_done(ctx.store, partial(clip_deeds.is_done, ctx))(deed)


async def _delete(
    ctx: Context,
    who: str,
    row: ClipRow,
    since: datetime,
    *,
    purge: bool,
    part_of: DeedRow | None = None,
) -> bool:
    """Deletes a clip as of `since`, and what is made of it; False if it was changed since `row`.

    `part_of`: what deletes the clip that it was trimmed from.
    """
    action = AuditAction.CLIP_DELETED
    async with clip_deeds.audited(ctx, who, action, row, part_of=part_of, purge=purge) as doing:
        hide = charging.hide if row["deleted_at"] is None else charging.age
        doing.is_done = await hide(ctx, row, since)
        if doing.is_done and part_of is None and purge and who != row["owner"]:
            await _purge_trims(ctx, doing.deed, since + ctx.settings.trash)
    if doing.is_done:
        await clip_renditions.withdraw_all(ctx, row["_id"])
        if row["deleted_at"] is None:
            await clip_events.withdrawn(ctx, who, row, ClipLoss.DELETED)
        log.info("clip_deleted", clip=row["_id"], owner=row["owner"], by=who)
    return doing.is_done


async def _purge_trims(ctx: Context, deed: DeedRow, now: datetime) -> None:
    """Deletes for good what was trimmed from a clip. What is being trimmed then is not made."""
    rest, who = ctx.settings.trash, deed["identity"]

    def is_gone(row: ClipRow) -> bool:
        return clip_access.is_gone(row, now, rest)

    async def purge(row: ClipRow) -> bool:
        return await _delete(ctx, who, row, now - rest, purge=True, part_of=deed)

    await trims.bring(ctx, deed["data"]["owner"], deed["subject"], is_gone, purge)


async def restore(
    ctx: Context,
    caller: Caller,
    clip_id: str,
    *,
    in_place_of: str | None = None,
    now: datetime | None = None,
) -> Clip:
    """Takes back the DELETE of a clip that still rests, and charges it again.

    `in_place_of`: a trim of it, or of those, which is deleted instead, and whose place it takes.
    Raises NotFound, NotPermitted, Gone if it rests no longer, QuotaExceeded, Conflict if that is no
    trim of it, or the clip is there and open. Repeated, it goes on where it was interrupted.
    """
    if in_place_of is None:
        return await _restore(ctx, caller, clip_id, now)
    trim = await clip_access.changeable(ctx, caller, in_place_of, deleted_too=True)
    if clip_id not in trim["ancestors"]:
        raise Conflict(f"the clip {in_place_of!r} is no trim of this one")
    clip = await clip_access.changeable(ctx, caller, clip_id, deleted_too=True)
    if not clip_access.is_shown(trim):
        if clip_access.is_shown(clip) and replacing.takes(clip, in_place_of):
            return await with_file(ctx, clip)  # the answer of then was lost
        raise NotFound(clip_access.NO_CLIP)
    has_own_place = clip_access.is_shown(clip) and clip["visibility"] != Visibility.PRIVATE
    if has_own_place and not replacing.is_under_way(trim, clip):
        raise Conflict("the clip is there, and has a place of its own: make it private before")
    try:
        await _restore(ctx, caller, clip_id, now)
    except QuotaExceeded as error:
        raise QuotaExceeded(
            f"{error.detail}; until it has the trim's place both count: delete the trim first, "
            "then restore the clip, which is private then",
            **error.extra,
        ) from error
    await replacing.replace(ctx, caller.identity, in_place_of, clip_id)
    return await find(ctx, caller, clip_id)


async def _restore(ctx: Context, caller: Caller, clip_id: str, now: datetime | None) -> Clip:
    while True:
        row = await clip_access.changeable(ctx, caller, clip_id, deleted_too=True)
        clip = await with_file(ctx, row)
        if clip_access.is_shown(row):
            return clip
        if not clip_access.may_come_back(row, now or datetime.now(UTC), ctx.settings.trash):
            raise Gone(trash.why_gone(ctx.settings))
        async with clip_deeds.audited(
            ctx, caller.identity, AuditAction.CLIP_RESTORED, row
        ) as doing:
            doing.is_done = await charging.show(ctx, row, clip.file["size_bytes"])
        if doing.is_done:
            break
    log.info("clip_restored", clip=clip_id, owner=row["owner"], by=caller.identity)
    return await find(ctx, caller, clip_id)


async def file_of(
    ctx: Context, caller: Caller | None, file_id: str, grant: int | None = None
) -> Clip:
    """The rows of a file that may be read, and of its clip. `caller` None: a signature allowed it.

    `grant`: the signature is good as long as nobody has changed who may see the clip; None: for the
    owner. Raises NotFound, and Gone to whom may know of it if its clip is deleted.
    """
    file, clip = await file_and_clip(ctx, file_id)
    shown = await clip_renditions.clips_of_file(ctx, file, clip)
    is_there = all(clip_access.is_shown(each) for each in shown)
    if caller is None:
        allowed = grant in (None, clip_access.grant(shown))
    else:
        found = min(await clip_access.rights(ctx, caller, shown))
        allowed = found == ClipRight.CHANGE or (found >= ClipRight.READ and is_there)
    if not allowed:
        raise NotFound(NO_FILE)
    if not is_there:
        raise Gone("the clip was deleted")
    return Clip(clip, file)


async def file_for(
    ctx: Context, caller: Caller | None, file_id: str, grant: int | None = None
) -> FileRow:
    """The row of the file whose bytes are served: its owner's, or the copy for others.

    It is named by the title that the clip has now. As `file_of`; raises Preparing, too.
    """
    clip = await file_of(ctx, caller, file_id, grant)
    owns = grant is None if caller is None else caller.identity == clip.row["owner"]
    file = clip.file if owns else await clean_copies.file_for_others(ctx, clip)
    return clip_report.named(file, clip.row, clip.row["room"])


async def file_and_clip(ctx: Context, file_id: str) -> tuple[FileRow, ClipRow]:
    """The rows of a file and of its clip, whoever may see them. Raises NotFound."""
    file = await ctx.store.rows(File).find_one({"_id": file_id})
    clip = file and await ctx.store.rows(ReplayClip).find_one({"_id": file["resource_id"]})
    if not file or not clip:
        raise NotFound(NO_FILE)
    return file, clip


async def with_file(ctx: Context, row: ClipRow) -> Clip:
    """A clip's row with that of its file. Raises NotFound."""
    file = await ctx.store.rows(File).find_one({"_id": row["file_id"]})
    if not file:
        raise NotFound(clip_access.NO_CLIP)
    return Clip(row, file)
