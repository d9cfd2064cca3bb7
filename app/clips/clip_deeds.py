"""What somebody does with a clip: it stands in the audit whoever is killed."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from app.access import deeds
from app.clips import clip_access
from app.context import Context
from app.models import AuditAction, ClipRow, DeedRow, EventName
from app.models.schema import OutgoingEvent, ReplayClip
from app.store import since

ACTIONS = (
    AuditAction.CLIP_CHANGED,
    AuditAction.CLIP_DELETED,
    AuditAction.CLIP_EXPIRED,
    AuditAction.CLIP_RESTORED,
    AuditAction.CLIP_SHARED,
    AuditAction.DELETION_REQUESTED,
)


def audited(
    ctx: Context,
    identity: str,
    action: AuditAction,
    row: ClipRow,
    *,
    part_of: DeedRow | None = None,
    **data: Any,
) -> AbstractAsyncContextManager[deeds.Audited]:
    """What somebody does with a clip within the block, as `deeds.audited` has it.

    `part_of`: what they do with the clip that it was trimmed from.
    """
    clip_id, room, owner = row["_id"], row["room"], row["owner"]
    return deeds.audited(
        ctx.store, identity, action, clip_id, room=room, part_of=part_of, owner=owner, **data
    )


async def is_done(ctx: Context, deed: DeedRow) -> bool:
    """Whether a clip is as somebody was about to make it."""
    row = await ctx.store.rows(ReplayClip).find_one({"_id": deed["subject"]})
    told = {name: value for name, value in deed["data"].items() if name != "owner"}
    match deed["action"]:
        case AuditAction.CLIP_SHARED:
            return await _is_shared(ctx, deed)
        case AuditAction.CLIP_DELETED if row is not None and told["purge"]:
            return clip_access.is_gone(row, deed["at"], ctx.settings.trash)
        case AuditAction.CLIP_DELETED | AuditAction.CLIP_EXPIRED:
            return row is None or not clip_access.is_shown(row)
    if row is None:
        return False
    match deed["action"]:
        case AuditAction.CLIP_RESTORED:
            return clip_access.is_shown(row)
        case AuditAction.DELETION_REQUESTED:
            asked = row["deletion_request"]
            named = deed["identity"], told["reason"]
            return asked is not None and (asked["requested_by"], asked["reason"]) == named
    if "closed" in told:
        return row["closed_by"] == (deed["identity"] if told["closed"] else None)
    return told.items() <= {**row}.items()


async def _is_shared(ctx: Context, deed: DeedRow) -> bool:
    shared = {
        "event": EventName.CLIP_SHARED,
        "data.clip_id": deed["subject"],
        "data.channel_id": deed["data"]["channel_id"],
        "created_at": since(deed["at"]),
    }
    return await ctx.store.rows(OutgoingEvent).find_one(shared, {"_id": 1}) is not None
