"""Whether files of clips that somebody has begun to get may be sent on: looked up for many at once.

Of a file whose rows can't be read it is no: it was another when it was opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from app.access.policy import ClipRight
from app.access.tokens import Caller
from app.clips import clip_access
from app.context import Context
from app.models import ClipRow
from app.models.schema import File, Rendition, ReplayClip
from app.store import chunks
from app.work import rounds

SentFile = TypeVar("SentFile")
"""A `ByRight` or a `ByLink`."""

_AT_ONCE = 500
ByRight = tuple[str, int | None]
"""The id of a file, and the grant of the signature that opened it: see `library.file_of`."""
ByLink = tuple[str, str]
"""The id of a file, and the secret of the link that opened it."""


async def by_right(ctx: Context, caller: Caller | None, asked: Collection[ByRight]) -> set[ByRight]:
    """Which of these files the caller may still have; `caller` None: signatures allowed them."""
    found: set[ByRight] = set()

    async def look(some: Sequence[ByRight]) -> int:
        shown = await _shown(ctx, [file_id for file_id, _ in some])
        there = [each for each in some if _are_shown(shown.get(each[0], ()))]
        if caller is None:
            found.update(
                (file_id, grant)
                for file_id, grant in there
                if grant in (None, clip_access.grant(shown[file_id]))
            )
            return len(some)
        rows = [row for file_id, _ in there for row in shown[file_id]]
        rights = await clip_access.rights(ctx, caller, rows)
        of = {row["_id"]: right for row, right in zip(rows, rights, strict=True)}
        for each in there:
            if all(of[row["_id"]] >= ClipRight.READ for row in shown[each[0]]):
                found.add(each)
        return len(some)

    await _in_parts(asked, look)
    return found


async def by_link(ctx: Context, asked: Collection[ByLink]) -> set[ByLink]:
    """Which of these files their links still open: none was turned off, no clip was deleted.

    A link is one clip's: it opens nothing that shows others, too.
    """
    found: set[ByLink] = set()

    async def look(some: Sequence[ByLink]) -> int:
        shown = await _shown(ctx, [file_id for file_id, _ in some])
        for file_id, secret in some:
            rows = shown.get(file_id, ())
            if len(rows) == 1 and _are_shown(rows) and opens(rows[0], secret):
                found.add((file_id, secret))
        return len(some)

    await _in_parts(asked, look)
    return found


def opens(clip: ClipRow, secret: str) -> bool:
    """Whether a secret is that of the clip's link, which may have expired."""
    held = clip["link_secret"] or ""
    return hmac.compare_digest(held.encode(), secret.encode("utf-8", "surrogatepass"))


async def _in_parts(
    asked: Collection[SentFile], look: Callable[[Sequence[SentFile]], Awaitable[int]]
) -> None:
    for some in chunks([*asked], _AT_ONCE):
        await rounds.together_or_alone("file", {repr(each): [each] for each in some}, look)


def _are_shown(rows: Sequence[ClipRow]) -> bool:
    return bool(rows) and all(clip_access.is_shown(row) for row in rows)


async def _shown(ctx: Context, file_ids: Sequence[str]) -> dict[str, list[ClipRow]]:
    """By a file's id the clips that it shows; nothing where the row of one is gone.

    Four reads, however many there are: see `clip_renditions.clips_of_file` for one.
    """
    files = await ctx.store.rows(File).find({"_id": {"$in": file_ids}}).to_list(None)
    clips = await _clips(ctx, {file["resource_id"] for file in files})
    shows = {file["_id"]: [file["resource_id"]] for file in files if file["resource_id"] in clips}
    others = [
        file["_id"]
        for file in files
        if file["_id"] in shows and clips[file["resource_id"]]["file_id"] != file["_id"]
    ]
    renditions = ctx.store.rows(Rendition).find({"_id": {"$in": others}})
    beside = {row["_id"]: row["beside"] async for row in renditions} if others else {}
    clips |= await _clips(ctx, {clip for each in beside.values() for clip in each} - clips.keys())
    for file_id in others:
        shows[file_id] = [*shows[file_id], *beside[file_id]] if file_id in beside else []
    return {
        file_id: [clips[each] for each in ids]
        for file_id, ids in shows.items()
        if all(each in clips for each in ids)
    }


async def _clips(ctx: Context, clip_ids: Collection[str]) -> dict[str, ClipRow]:
    if not clip_ids:
        return {}
    found = ctx.store.rows(ReplayClip).find({"_id": {"$in": [*clip_ids]}})
    return {row["_id"]: row async for row in found}
