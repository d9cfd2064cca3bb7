"""Clips that are parts of a clip, and the parts of those: what becomes of it becomes of them.

The row of each names all that it is a part of, whether that is there or gone: nothing is moved when
a clip goes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.clips import clip_visibility
from app.context import Context
from app.errors import Conflict
from app.models import ClipRow, Visibility
from app.models.schema import ReplayClip
from app.work import rounds

DEEPEST = 20
"""Trims of trims: each has an entry of an index for each clip that it is a part of."""


def check_depth(row: ClipRow) -> None:
    """Raises Conflict if a clip is a part of so many others that it has no parts any more."""
    if len(row["ancestors"]) >= DEEPEST:
        raise Conflict(
            f"the clip is a trim of a trim, {DEEPEST} deep: trim one of those that it was made of, "
            "or capture it again"
        )


async def bring(
    ctx: Context,
    owner: str,
    clip_id: str,
    is_there: Callable[[ClipRow], bool],
    change: Callable[[ClipRow], Awaitable[bool]],
) -> None:
    """Changes all trims of a clip, and theirs, that are not where they are to be.

    So it does what rests because the clip has its place, with the trims of that: else these would
    be opened instead. Open ones are first. `change` gives False where a row was changed by others
    meanwhile: then it is read again. Where it fails with some, it does the others, then raises what
    it failed with: so whoever goes on tries these again.
    """
    clips = ctx.store.rows(ReplayClip)
    place = await _with_what_it_replaced(ctx, owner, clip_id)
    known, errors = {clip_id}, list[Exception]()
    while True:
        # First what tells most: the embedded database looks for that alone.
        replaced = await clips.find({"_id": {"$in": [*place]}, "owner": owner}).to_list(None)
        parts = await clips.find({"ancestors": {"$in": [*place]}, "owner": owner}).to_list(None)
        found = {row["_id"]: row for row in (*replaced, *parts) if row["_id"] not in known}
        if not found:
            break
        for row in sorted(found.values(), key=_is_private):
            with rounds.item(clip=row["_id"]) as attempt:
                now: ClipRow | None = row
                while now is not None and not is_there(now) and not await change(now):
                    now = await clips.find_one({"_id": row["_id"]})
            errors += [attempt.error] if attempt.error else []
        # Once more: parts may have come meanwhile.
        known |= found.keys()
    if errors:
        raise errors[0]


def _is_private(row: ClipRow) -> bool:
    """One whose row was altered, so that it does not tell, counts as open."""
    return row.get("visibility") == Visibility.PRIVATE


async def _with_what_it_replaced(ctx: Context, owner: str, clip_id: str) -> set[str]:
    """The ids of a clip, and of those whose place it has, one after another; gone ones, too."""
    clips = ctx.store.rows(ReplayClip)
    newest = {clip_id} | await _gone_places(ctx, clip_id)
    known: set[str] = set()
    while newest:
        known |= newest
        which = {"replaced_by": {"$in": [*newest]}, "owner": owner}
        newest = {row["_id"] async for row in clips.find(which, {"_id": 1})} - known
    return known


async def _gone_places(ctx: Context, clip_id: str) -> set[str]:
    """The clips whose place a clip has and that are gone: what they had replaced names them."""
    clips = ctx.store.rows(ReplayClip)
    row = await clips.find_one({"_id": clip_id})
    if row is None or row["in_place_of"] is None:
        return set()
    first, ancestors = row["in_place_of"]["first"], row["ancestors"]
    if first not in ancestors:
        return set()
    of = ancestors[: ancestors.index(first) + 1]
    there = {each["_id"] async for each in clips.find({"_id": {"$in": of}}, {"_id": 1})}
    return {*of} - there


async def close(ctx: Context, clip_id: str, whole: ClipRow, closed_by: str) -> None:
    """Closes a clip that nobody has closed, as `whole`, which it is a part of, was."""
    which = {"_id": clip_id, "closed_by": None}
    while row := await ctx.store.rows(ReplayClip).find_one(which):
        await ctx.store.take(ReplayClip, row, clip_visibility.closed(row, closed_by, whole=whole))
