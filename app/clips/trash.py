"""Bounds what deleted clips take of the disk while they rest.

They count in nobody's quota. All those of a user take no more than that quota, and none rests while
the disk is getting full: otherwise a user who makes clips and deletes them would shrink the buffers
of others.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.access import quota
from app.clips import charging
from app.context import Context
from app.models.schema import File, ReplayClip
from app.settings import Settings
from app.settings.clip_settings import AT_LEAST
from app.storage.free_space import free_space
from app.store import after

GOES_FIRST = 2
"""Times FREE_SPACE_MIN_BYTES, below which buffers shrink: with less free none rests any longer."""
NEWEST_FIRST = [("deleted_at", -1), ("_id", 1)]

log = structlog.get_logger()


async def rest(ctx: Context) -> timedelta:
    """How long a deleted clip rests now: less where its file is on a disk that is getting full."""
    if ctx.settings.clips_url:
        return ctx.settings.trash
    wanted = GOES_FIRST * ctx.settings.free_space_min_bytes
    free = await free_space(ctx.settings.media_root)
    return AT_LEAST if free.is_short(wanted) else ctx.settings.trash


def why_gone(settings: Settings) -> str:
    """Why a deleted clip can't be restored: its row does not tell which of these it was."""
    return (
        f"the clip rests no longer: a deleted one does for {settings.trash.total_seconds():g} s at "
        "most, for less where the disk is getting full or its owner's deleted clips take more than "
        "their quota, and not at all if it was purged"
    )


async def bound(ctx: Context, owner: str, now: datetime) -> None:
    """Lets a user's clips go that rest beyond their quota, those that were deleted first."""
    over = now - ctx.settings.trash
    # No more than an index serves: see `app.store`.
    resting = {"owner": owner, "deleted_at": after(over)}
    found = await ctx.store.rows(ReplayClip).find(resting).sort(NEWEST_FIRST).to_list(None)
    rows = [row for row in found if row["ready"]]
    ids = {"$in": [row["file_id"] for row in rows]}
    sizes = ctx.store.rows(File).find({"_id": ids}, {"size_bytes": 1})
    size_of = {file["_id"]: file["size_bytes"] async for file in sizes}
    left_bytes = (await quota.read(ctx.store, ctx.settings, owner)).quota_bytes
    for row in rows:
        left_bytes -= size_of.get(row["file_id"], 0)
        if left_bytes < 0 and await charging.age(ctx, row, over):
            log.info("clip_trash_is_full", clip=row["_id"], owner=owner)
