"""Looks clips up as their readers may see them: a stranger's is the same as none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.access import policy, presence
from app.access.policy import ClipRight
from app.access.tokens import Caller
from app.context import Context
from app.errors import NotFound, NotPermitted
from app.models import ClipRow, Visibility
from app.models.schema import ReplayClip

NO_CLIP = "there is no such clip, or it is not yours"
SHOWN: dict[str, Any] = {"ready": True, "deleted_at": None}
"""What the row of a clip that is not deleted matches."""


async def right(ctx: Context, caller: Caller, row: ClipRow) -> ClipRight:
    """What the caller may do with the clip of a row."""
    in_room = live = False
    if row["visibility"] == Visibility.ROOM:
        in_room = bool(await presence.stays(ctx.store, caller.identity, [row["room_sid"]]))
        live = await presence.live_sid(ctx.store, row["room"]) == row["room_sid"]
    return policy.clip_right(
        caller,
        owner=row["owner"],
        room=row["room"],
        visibility=row["visibility"],
        in_room=in_room,
        live=live,
    )


async def readable(ctx: Context, caller: Caller, clip_id: str) -> ClipRow:
    """The row of a clip that the caller may see. Raises NotFound."""
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    if row is None or not is_shown(row) or await right(ctx, caller, row) < ClipRight.READ:
        raise NotFound(NO_CLIP)
    return row


async def changeable(
    ctx: Context, caller: Caller, clip_id: str, *, deleted_too: bool = False
) -> ClipRow:
    """The row of a clip that the caller may change.

    Raises NotFound, and NotPermitted to somebody who may see it.
    """
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    found = ClipRight.NONE if row is None else await right(ctx, caller, row)
    if row is None or found == ClipRight.NONE:
        raise NotFound(NO_CLIP)
    if found < ClipRight.CHANGE:
        if not is_shown(row):
            raise NotFound(NO_CLIP)
        raise NotPermitted(f"only {row['owner']!r}, whose clip it is, may do this")
    if not (deleted_too or is_shown(row)):
        raise NotFound(NO_CLIP)
    return row


def is_shown(row: ClipRow) -> bool:
    """Whether the clip is ready and not deleted."""
    return bool(row["ready"]) and row["deleted_at"] is None


def may_come_back(row: ClipRow, now: datetime, trash: timedelta) -> bool:
    """Whether a clip is deleted, and can be restored. `trash`: how long at most."""
    deleted_at = row["deleted_at"]
    return bool(row["ready"]) and deleted_at is not None and deleted_at > now - trash
