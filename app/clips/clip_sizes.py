"""Pages of clips, largest first: what takes the most of a quota, or of the disk.

Only somebody's own clips are listed so, or everybody's. Sizes stand in the rows of files, so these
are looked through: in stretches of sizes that grow, from where the page begins down to 0, as
`clip_pages` does in time. A file may be that of a rendition, or of a clip that is not wanted: a
page then holds fewer than was asked for, and says where to go on.
"""

from __future__ import annotations

from dataclasses import replace

from app.access import policy
from app.access.tokens import Caller
from app.clips import clip_pages
from app.clips.clip_pages import Clip, Wanted
from app.context import Context
from app.models import FileRow, Row, keyset
from app.models.keyset import Page
from app.models.schema import File, ReplayClip
from app.store import first

LOOKED_AT = 500
_TOP = 1 << 50
"""Bytes: no file is as large."""
_FIRST_PART = 64
"""Of the size where a page begins: how large the first stretch is that it looks at."""
_GROWTH = 4
_LARGEST_FIRST = [("size_bytes", -1), ("_id", -1)]


async def seen_page(
    ctx: Context, caller: Caller, wanted: Wanted, *, limit: int, after: str | None
) -> Page[Clip]:
    """Those of the wanted clips that are the caller's own; of an instance admin: anybody's.

    Raises Invalid if `after` is not a page's `next`.
    """
    seen = policy.clips_seen(caller)
    if seen.room is not None:
        if wanted.room not in (None, seen.room):
            return Page([], None)
        wanted = replace(wanted, room=seen.room)
    owner = wanted.owner if seen.everybodys else caller.identity
    return await page(ctx, owner, wanted, limit=limit, after=after)


async def page(
    ctx: Context,
    owner: str | None,
    wanted: Wanted,
    *,
    limit: int = 50,
    after: str | None = None,
    looked_at: int = LOOKED_AT,
) -> Page[Clip]:
    """Those of the wanted clips that `owner` has; None: that anybody has.

    `looked_at`: rows to look at, at most. Raises Invalid if `after` is not a page's `next`.
    """
    begin = None if after is None else keyset.read_number(after)
    files = await _below(ctx, {} if owner is None else {"uploaded_by": owner}, begin, looked_at + 1)
    more, files = len(files) > looked_at, files[:looked_at]
    ids = [file["resource_id"] for file in files]
    rows = await ctx.store.rows(ReplayClip).find({"_id": {"$in": ids}}).to_list(None)
    clips = {row["file_id"]: row for row in rows}
    kept: list[Clip] = []
    for place, file in enumerate(files):
        row = clips.get(file["_id"])
        if row is not None and clip_pages.fits(row, wanted, ctx.settings.trash):
            kept.append(Clip(row, file))
        if len(kept) == limit:
            return Page(kept, _written(file) if more or place + 1 < len(files) else None)
    return Page(kept, _written(files[-1]) if more else None)


def _written(file: FileRow) -> str:
    return keyset.written_number(file["size_bytes"], file["_id"])


async def _below(
    ctx: Context, which: Row, begin: tuple[int, str] | None, count: int
) -> list[FileRow]:
    """The largest files after a place in the list, at most `count`; None: of all."""
    files, rows = ctx.store.rows(File), list[FileRow]()
    end, stretch = _TOP, _TOP // 2
    if begin is not None:
        end, file_id = max(0, min(begin[0], _TOP)), begin[1]
        same = files.find(which | {"size_bytes": end, "_id": {"$lt": file_id}})
        rows = await first(same.sort(_LARGEST_FIRST), count)
        stretch = end // _FIRST_PART
    while len(rows) < count and end > 0:
        # Never more than half of what is left: sizes lie the more densely the smaller they are.
        stretch = max(1, min(stretch, end // 2))
        start = end - stretch
        found = files.find(which | {"size_bytes": {"$gte": start, "$lt": end}})
        rows += await first(found.sort(_LARGEST_FIRST), count - len(rows))
        end, stretch = start, stretch * _GROWTH
    return rows
