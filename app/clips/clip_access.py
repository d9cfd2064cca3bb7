"""Looks clips up as their readers may see them: a stranger's is the same as none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.access import communities, policy, presence
from app.access.communities import Rules
from app.access.policy import ClipRight, OwnedClip
from app.access.tokens import Caller
from app.context import Context
from app.errors import NotFound, NotPermitted
from app.models import ClipRow
from app.models.schema import ReplayClip
from app.store import after

NO_CLIP = "there is no such clip, or it is not yours"
SHOWN: dict[str, Any] = {"ready": True, "deleted_at": None}
"""What the row of a clip that is not deleted matches."""


async def right(ctx: Context, caller: Caller, row: ClipRow) -> ClipRight:
    """What the caller may do with the clip of a row."""
    return (await rights(ctx, caller, [row]))[0]


async def rights(ctx: Context, caller: Caller, rows: Sequence[ClipRow]) -> list[ClipRight]:
    """What the caller may do with the clips of these rows.

    Three reads, however many there are; more for who came to rooms very often.
    """
    others = [row for row in rows if row["opened"] and row["owner"] != caller.identity]
    rules: Mapping[str, Rules] = {}
    there: Collection[str] = ()
    live: str | None = None
    if others and not caller.instance_admin:
        rules, there, live = await asyncio.gather(
            communities.rules_of(ctx.store, ctx.settings, {row["community"] for row in others}),
            presence.rooms_among(ctx.store, caller.identity, {row["room_sid"] for row in others}),
            presence.live_for(ctx.store, caller),
        )

    def found(row: ClipRow) -> ClipRight:
        of = rules.get(row["community"])
        return policy.clip_right(
            caller,
            owned(row),
            in_room=row["room_sid"] in there,
            live=row["room_sid"] == live,
            sharer_rights=of.sharer_rights if of else "",
        )

    return [found(row) for row in rows]


def owned(row: ClipRow) -> OwnedClip:
    """The clip of a row, as rights go by it."""
    return OwnedClip(
        owner=row["owner"],
        sharer=row["shared_by"],
        room=row["room"],
        visibility=row["visibility"],
        opened=row["opened"],
    )


async def readable(ctx: Context, caller: Caller, clip_id: str) -> ClipRow:
    """The row of a clip that the caller may see. Raises NotFound."""
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    if row is None or not is_shown(row) or await right(ctx, caller, row) < ClipRight.READ:
        raise NotFound(NO_CLIP)
    return row


async def callers_own(ctx: Context, caller: Caller, clip_id: str, *, to: str) -> ClipRow:
    """The row of a clip of the caller's own, who is about `to` do something with it.

    Raises NotFound, and NotPermitted to somebody else who may see it.
    """
    row = await readable(ctx, caller, clip_id)
    if row["owner"] != caller.identity:
        raise NotPermitted(f"only {row['owner']!r}, whose clip it is, may {to}")
    return row


async def changeable(
    ctx: Context, caller: Caller, clip_id: str, *, deleted_too: bool = False
) -> ClipRow:
    """The row of a clip that the caller may change.

    Raises NotFound, and NotPermitted to somebody who may see it.
    """
    row, _ = await permitted(ctx, caller, clip_id, ClipRight.CHANGE, deleted_too=deleted_too)
    return row


async def permitted(
    ctx: Context, caller: Caller, clip_id: str, least: ClipRight, *, deleted_too: bool = False
) -> tuple[ClipRow, ClipRight]:
    """The row of a clip, and what the caller may do with it: `least` or more.

    `deleted_too`: also one that is deleted, to who may change it. Raises NotFound, and NotPermitted
    to somebody who may see it.
    """
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    found = ClipRight.NONE if row is None else await right(ctx, caller, row)
    if row is None or found == ClipRight.NONE:
        raise NotFound(NO_CLIP)
    if not is_shown(row) and not (deleted_too and found == ClipRight.CHANGE):
        raise NotFound(NO_CLIP)
    if found < least:
        raise _refusal(row, found, least)
    return row, found


async def deletable(
    ctx: Context, caller: Caller, clip_id: str, *, purge: bool
) -> tuple[ClipRow, ClipRight]:
    """The row of a clip that the caller may delete, and by which right. `purge`: for good.

    Raises NotFound, and NotPermitted to somebody who may see it.
    """
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    if row and is_shown(row) and not purge and policy.may_let_rest(caller, row["owner"]):
        return row, ClipRight.CHANGE
    return await permitted(ctx, caller, clip_id, ClipRight.DELETE, deleted_too=purge)


def _refusal(row: ClipRow, found: ClipRight, least: ClipRight) -> NotPermitted:
    owner = f"only {row['owner']!r}, whose clip it is, may do this"
    if found == ClipRight.READ and least < ClipRight.CHANGE:
        return NotPermitted(
            f"only {row['shared_by']!r}, whose screen it shows, and an admin of its room may do "
            "this, as far as the sharer_rights of its community let them"
        )
    if found >= ClipRight.ASK and least < ClipRight.CHANGE:
        return NotPermitted(
            f"{owner}: the sharer_rights of its community give you less; ask for its deletion, by "
            f"POST /v1/clips/{row['_id']}/request-deletion"
        )
    return NotPermitted(owner)


def grant(rows: Sequence[ClipRow]) -> int:
    """What a signature names for whoever may read what shows these clips.

    It changes with who may see any of them: a row only ever counts up.
    """
    return sum(row["grant"] for row in rows)


def is_shown(row: ClipRow) -> bool:
    """Whether the clip is ready and not deleted."""
    return bool(row["ready"]) and row["deleted_at"] is None


def may_come_back(row: ClipRow, now: datetime, trash: timedelta) -> bool:
    """Whether a clip is deleted, and can be restored. `trash`: how long at most."""
    deleted_at = row["deleted_at"]
    return bool(row["ready"]) and deleted_at is not None and deleted_at > now - trash


def restorable(now: datetime, trash: timedelta) -> dict[str, Any]:
    """What the row of a clip that is deleted, and can be restored, matches."""
    return {"deleted_at": after(now - trash)}


def is_gone(row: ClipRow, now: datetime, trash: timedelta) -> bool:
    """Whether a clip is deleted for good: it is neither shown nor can it be restored."""
    return not is_shown(row) and not may_come_back(row, now, trash)
