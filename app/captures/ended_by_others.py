"""What somebody ends or deletes that others asked for: it stands in the audit, whoever is killed.

What people end of their own does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.access import deeds
from app.access.policy import Share
from app.access.tokens import Caller
from app.buffer import markers
from app.captures import capture_access, endings
from app.clips import clip_renditions
from app.context import Context
from app.models import (
    AuditAction,
    CaptureRow,
    CaptureStatus,
    ClipRow,
    DeedRow,
    RenditionRow,
)
from app.models.schema import Capture, Marker, Rendition

ACTIONS = (
    AuditAction.CAPTURE_CANCELLED,
    AuditAction.MARKER_DELETED,
    AuditAction.RENDITION_DELETED,
)


async def cancel(ctx: Context, caller: Caller, capture_id: str) -> CaptureRow:
    """As `endings.cancel`."""
    row = await capture_access.find(ctx, caller, capture_id)
    action, whose = AuditAction.CAPTURE_CANCELLED, row["caller"]
    async with _noted(ctx, caller, action, capture_id, whose, room=row["room"]):
        return await endings.cancel(ctx, caller, capture_id)


async def delete_marker(
    ctx: Context, caller: Caller, marker_id: str, share: Share, marked_by: str
) -> None:
    """As `markers.delete`, of a marker of `marked_by`'s in a share."""
    action, told = AuditAction.MARKER_DELETED, {"share_of": share.identity}
    async with _noted(ctx, caller, action, marker_id, marked_by, share.room, **told) as doing:
        doing.is_done = await markers.delete(ctx.store, marker_id)


async def withdraw(ctx: Context, caller: Caller, clip: ClipRow, row: RenditionRow) -> None:
    """As `clip_renditions.withdraw`, of a rendition of a clip."""
    action, told = AuditAction.RENDITION_DELETED, {"format": row["format"], "rendition": row["_id"]}
    whose, room = clip["owner"], clip["room"]
    async with _noted(ctx, caller, action, clip["_id"], whose, room, **told) as doing:
        doing.is_done = await clip_renditions.withdraw(ctx, row)


async def is_done(ctx: Context, deed: DeedRow) -> bool:
    """Whether what somebody was about to end or to delete is ended."""
    match deed["action"]:
        case AuditAction.CAPTURE_CANCELLED:
            capture = await ctx.store.rows(Capture).find_one({"_id": deed["subject"]})
            return capture is not None and capture["status"] == CaptureStatus.CANCELLED
        case AuditAction.MARKER_DELETED:
            which = {"_id": deed["subject"]}
            return await ctx.store.rows(Marker).find_one(which, {"_id": 1}) is None
    row = await ctx.store.rows(Rendition).find_one({"_id": deed["data"]["rendition"]})
    return row is None or row["status"] == CaptureStatus.CANCELLED


@asynccontextmanager
async def _noted(
    ctx: Context,
    caller: Caller,
    action: AuditAction,
    subject: str,
    whose: str,
    room: str,
    **data: Any,
) -> AsyncIterator[deeds.Doing]:
    """What is done within the block, as `deeds.audited` has it if it is done to somebody else."""
    if caller.identity == whose:
        yield deeds.Doing()
        return
    async with deeds.audited(
        ctx.store, caller.identity, action, subject, room=room, owner=whose, **data
    ) as doing:
        yield doing
