"""Bounds what deleted clips take of the disk while they rest.

They count in nobody's quota. All those of a user take no more than that quota, and none rests while
the disk is getting full: otherwise a user who makes clips and deletes them would shrink the buffers
of others. Nor are they more than `MOST`: whoever looks for those that rest reads all of them. Both
is seen to whenever some of theirs have begun to rest, as somebody deletes them or they expire.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.access import quota
from app.clips import charging
from app.context import Context
from app.models import ClipRow
from app.models.schema import File, ReplayClip
from app.settings import Settings
from app.settings.clip_settings import AT_LEAST
from app.storage.free_space import free_space
from app.store import after

GOES_FIRST = 2
"""Times FREE_SPACE_MIN_BYTES, below which buffers shrink: with less free none rests any longer."""
MOST = 500
"""Clips of one user that rest."""
AT_A_TIME = 200
"""Clips that one deletion lets go; the next one takes the rest."""
NEWEST_FIRST = [("deleted_at", -1), ("_id", 1)]
_READ = dict.fromkeys(("file_id", "ready", "deleted_at", "turn"), 1)

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
        f"their quota or are more than {MOST}, and not at all if it was purged"
    )


async def bound(ctx: Context, owner: str, now: datetime, *, most: int = MOST) -> None:
    """Lets a user's clips go that rest beyond their quota, or `most`: first deleted, first gone."""
    over = now - ctx.settings.trash
    # No more than an index serves: see `app.store`.
    resting = {"owner": owner, "deleted_at": after(over)}
    found = ctx.store.rows(ReplayClip).find(resting, _READ).sort(NEWEST_FIRST)
    rows = [row async for row in found if row["ready"]]
    ids = {"$in": [row["file_id"] for row in rows]}
    sizes = ctx.store.rows(File).find({"_id": ids}, {"size_bytes": 1})
    size_of = {file["_id"]: file["size_bytes"] async for file in sizes}
    left_bytes = (await quota.read(ctx.store, ctx.settings, owner)).quota_bytes
    beyond: list[ClipRow] = []
    for place, row in enumerate(rows):
        left_bytes -= size_of.get(row["file_id"], 0)
        if left_bytes < 0 or place >= most:
            beyond.append(row)
    for row in beyond[-AT_A_TIME:]:
        if await charging.age(ctx, row, over):
            log.info("clip_trash_is_full", clip=row["_id"], owner=owner)
