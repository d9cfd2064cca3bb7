"""Clips that are parts of a clip, and the parts of those: what becomes of it becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from app.context import Context
from app.models import ClipRow
from app.models.schema import ReplayClip


async def _of(ctx: Context, owner: str, clip_id: str) -> AsyncIterator[ClipRow]:
    """The rows of all trims of a clip of `owner`'s, and of theirs; deleted ones, too.

    Those that come while it is iterated are among them.
    """
    known, newest = {clip_id}, [clip_id]
    while newest:
        # First what tells most: the embedded database looks for that alone.
        which = {"trimmed_from": {"$in": newest}, "owner": owner}
        rows = await ctx.store.rows(ReplayClip).find(which).to_list(None)
        found = [row for row in rows if row["_id"] not in known]
        for row in found:
            yield row
        # A chain has a round for each of its links: all are looked through again only at its end.
        is_all = len(newest) == len(known)
        known |= {row["_id"] for row in found}
        newest = [row["_id"] for row in found] or ([] if is_all else [*known])


async def _replaced(ctx: Context, owner: str, clip_id: str) -> AsyncIterator[ClipRow]:
    """The rows of clips that rest because a clip of `owner`'s has their place, and theirs."""
    known, newest = {clip_id}, [clip_id]
    while newest:
        which = {"replaced_by": {"$in": newest}, "owner": owner}
        rows = await ctx.store.rows(ReplayClip).find(which).to_list(None)
        found = [row for row in rows if row["_id"] not in known]
        for row in found:
            yield row
        newest = [row["_id"] for row in found]
        known |= {*newest}


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
    for found in (_of, _replaced):
        async for row in found(ctx, owner, clip_id):
            now: ClipRow | None = row
            while now is not None and not is_there(now) and not await change(now):
                now = await ctx.store.rows(ReplayClip).find_one({"_id": row["_id"]})


async def inherit(ctx: Context, row: ClipRow) -> None:
    """A clip's row is about to go: its trims are parts of what it was a part of.

    What it has replaced was replaced by what has its place.
    """
    if row["replaced_by"] is not None:
        replaced = {"replaced_by": row["_id"], "owner": row["owner"]}
        by = {"replaced_by": row["replaced_by"]}
        await ctx.store.rows(ReplayClip).update_many(replaced, {"$set": by})
    if row["trimmed_from"] is not None:
        trims = {"trimmed_from": row["_id"], "owner": row["owner"]}
        whole = {"trimmed_from": row["trimmed_from"]}
        await ctx.store.rows(ReplayClip).update_many(trims, {"$set": whole})
