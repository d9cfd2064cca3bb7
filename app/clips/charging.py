"""Deletes and restores clips together with their charges, under any interleaving.

The clip's row decides; `turn` counts its changes. Hiding a clip changes the row first
and frees the charge then. Showing it charges first, under the turn that the row is about to have,
and changes the row only if it is still in the turn before. So a clip that is shown is charged at
every instant; one that is hidden may still be charged until `uncharge` finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.access import quota
from app.context import Context
from app.errors import Gone
from app.models import ClipRow
from app.models.schema import ReplayClip


async def hide(
    ctx: Context,
    row: ClipRow,
    now: datetime,
    *,
    also: Mapping[str, object] | None = None,
    **where: object,
) -> bool:
    """Hides a clip that is shown, and frees its charge. `also`: fields to set with it.

    False if it was changed since its row was read, or does not match `where`.
    """
    fields = {**(also or {}), "deleted_at": now, "turn": row["turn"] + 1}
    hidden = await ctx.store.take(ReplayClip, row, fields, ready=True, **where)
    if hidden is None:
        return False
    await quota.free(ctx.store, row["owner"], row["_id"], hidden["turn"])
    return True


async def show(ctx: Context, row: ClipRow, size_bytes: int) -> bool:
    """Charges a clip that is hidden, and shows it.

    False if it was changed since its row was read: that change sees to the charge. Raises
    QuotaExceeded, and Gone if its owner's quota does not know it any more.
    """
    clip_id, owner, turn = row["_id"], row["owner"], row["turn"] + 1
    if not await quota.charge(ctx.store, ctx.settings, owner, clip_id, size_bytes, turn):
        if await ctx.store.rows(ReplayClip).find_one({"_id": clip_id, "turn": row["turn"]}):
            raise Gone(f"the quota of {owner!r} does not know the clip: it can't be restored")
        return False
    fields = {"deleted_at": None, "turn": turn, "replaced_by": None}
    return await ctx.store.take(ReplayClip, row, fields, ready=True) is not None


async def age(ctx: Context, row: ClipRow, since: datetime) -> bool:
    """Makes a clip that is hidden one that was deleted at an instant.

    False if it was changed since its row was read.
    """
    fields = {"deleted_at": since, "turn": row["turn"] + 2}
    return await ctx.store.take(ReplayClip, row, fields, ready=True) is not None


async def uncharge(ctx: Context, row: ClipRow) -> None:
    """Frees the charge of a hidden clip that somebody left when they were killed."""
    if not await quota.charged(ctx.store, row["owner"], [row["_id"]]):
        return
    # A request that is about to show the clip finds it in another turn, and charges it again.
    hidden = await ctx.store.take(ReplayClip, row, {"turn": row["turn"] + 2}, ready=True)
    if hidden is not None:
        await quota.free(ctx.store, row["owner"], row["_id"], hidden["turn"])


async def let_go(ctx: Context, row: ClipRow) -> bool:
    """Frees the charge of a hidden clip that nobody can show from now on: its file is to go.

    False if it was changed since its row was read.
    """
    gone = await ctx.store.take(ReplayClip, row, {"ready": False, "turn": row["turn"] + 2})
    if gone is None:
        return False
    await quota.give_back(ctx.store, row["owner"], row["_id"])
    return True
