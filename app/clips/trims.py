"""Clips that are parts of a clip, and the parts of those: what becomes of it becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

from app.clips import clip_visibility
from app.context import Context
from app.models import ClipRow
from app.models.schema import ReplayClip

_Link = Literal["trimmed_from", "replaced_by"]
_LINKS: tuple[_Link, ...] = ("trimmed_from", "replaced_by")
"""What a clip is a part of; what has its place, for which it rests."""


async def _leading_to(ctx: Context, owner: str, clip_id: str, by: _Link) -> AsyncIterator[ClipRow]:
    """The rows of `owner`'s clips that name a clip in a field, or one that does; deleted ones, too.

    Those that come while it is iterated are among them.
    """
    known, newest = {clip_id}, [clip_id]
    while newest:
        # First what tells most: the embedded database looks for that alone.
        which = {by: {"$in": newest}, "owner": owner}
        rows = await ctx.store.rows(ReplayClip).find(which).to_list(None)
        found = [row for row in rows if row["_id"] not in known]
        for row in found:
            yield row
        # A chain has a round for each of its links: all are looked through again only at its end.
        is_all = len(newest) == len(known)
        known |= {row["_id"] for row in found}
        newest = [row["_id"] for row in found] or ([] if is_all else [*known])


async def bring(
    ctx: Context,
    owner: str,
    clip_id: str,
    is_there: Callable[[ClipRow], bool],
    change: Callable[[ClipRow], Awaitable[bool]],
) -> None:
    """Changes all trims of a clip, and theirs, that are not where they are to be.

    So it does what rests because the clip has its place: else that would be opened instead.
    `change` gives False where a row was changed by others meanwhile: then it is read again.
    """
    for by in _LINKS:
        async for row in _leading_to(ctx, owner, clip_id, by):
            now: ClipRow | None = row
            while now is not None and not is_there(now) and not await change(now):
                now = await ctx.store.rows(ReplayClip).find_one({"_id": row["_id"]})


async def inherit(ctx: Context, row: ClipRow) -> None:
    """A clip's row is about to go: its trims are parts of what it was a part of.

    What it has replaced was replaced by what has its place.
    """
    for by in _LINKS:
        if row[by] is not None:
            which = {by: row["_id"], "owner": row["owner"]}
            await ctx.store.rows(ReplayClip).update_many(which, {"$set": {by: row[by]}})


async def close(ctx: Context, clip_id: str, closed_by: str, **where: Any) -> None:
    """Closes a clip that nobody has closed, as another was, while its row is as `where` says."""
    which = {"_id": clip_id, "closed_by": None, **where}
    while row := await ctx.store.rows(ReplayClip).find_one(which):
        await ctx.store.take(ReplayClip, row, clip_visibility.closed(row, closed_by))
