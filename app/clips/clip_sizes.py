"""Pages of clips, largest first: what takes the most of a quota, or of the disk.

Only somebody's own clips are listed so, or everybody's. Sizes stand in the rows of files, so these
are looked through: in stretches of sizes that grow, from where the page begins down to 0, as
`clip_pages` does in time. A file may be that of a rendition, or of a clip that is not wanted: a
page then holds fewer than was asked for, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.access import policy
from app.access.tokens import Caller
from app.clips import clip_pages
from app.clips.clip_pages import Clip, Wanted
from app.context import Context
from app.models import ClipRow, FileRow, Row, keyset
from app.models.keyset import Page
from app.models.schema import File, ReplayClip
from app.store import first

LOOKED_AT = 500
_TOP = 1 << 62
"""Bytes: no file is as large."""
_USUAL = 1 << 36
"""Bytes: few files are as large, and what is larger is looked for at once."""
_MORE = 25
"""Files that are read at first beside as many as are asked for: those of renditions."""
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
    which: Row = {} if owner is None else {"uploaded_by": owner}
    begin = None if after is None else keyset.read_number(after)
    kept: list[FileRow] = []
    count = limit + _MORE
    while True:
        count = min(count, looked_at)
        looked_at -= count
        files = await _below(ctx, which, begin, count + 1)
        more, files = len(files) > count, files[:count]
        fitting = await _fitting(ctx, wanted, files, clip_pages.FITTING)
        for place, file in enumerate(files):
            if file["_id"] in fitting:
                kept.append(file)
            if len(kept) == limit:
                more = more or place + 1 < len(files)
                return await _page(ctx, wanted, kept, file if more else None)
        if not more or looked_at == 0:
            return await _page(ctx, wanted, kept, files[-1] if more else None)
        begin = files[-1]["size_bytes"], files[-1]["_id"]
        count *= 2


async def _page(
    ctx: Context, wanted: Wanted, kept: Sequence[FileRow], last: FileRow | None
) -> Page[Clip]:
    """The page of these files' clips. `last`: where the next one begins, if there is one."""
    rows = await _fitting(ctx, wanted, kept)
    clips = [Clip(rows[file["_id"]], file) for file in kept if file["_id"] in rows]
    return Page(clips, last and keyset.written_number(last["size_bytes"], last["_id"]))


async def _fitting(
    ctx: Context, wanted: Wanted, files: Sequence[FileRow], fields: Row | None = None
) -> dict[str, ClipRow]:
    """The wanted clips whose files are among these, by the files' ids. `fields`: None: all."""
    ids = [file["resource_id"] for file in files]
    rows = await ctx.store.rows(ReplayClip).find({"_id": {"$in": ids}}, fields).to_list(None)
    return {row["file_id"]: row for row in rows if clip_pages.fits(row, wanted, ctx.settings.trash)}


async def _below(
    ctx: Context, which: Row, begin: tuple[int, str] | None, count: int
) -> list[FileRow]:
    """The largest files after a place in the list, at most `count`; None: of all."""
    files, rows = ctx.store.rows(File), list[FileRow]()
    end, stretch = _TOP, _USUAL // 2
    if begin is not None:
        end, file_id = max(0, min(begin[0], _TOP)), begin[1]
        same = files.find(which | {"size_bytes": end, "_id": {"$lt": file_id}})
        rows = await first(same.sort(_LARGEST_FIRST), count)
        stretch = end // _FIRST_PART
    while len(rows) < count and end > 0:
        # Never more than half of what is left: sizes lie the more densely the smaller they are.
        stretch = max(1, min(stretch, end // 2))
        start = _USUAL if end > _USUAL else end - stretch
        found = files.find(which | {"size_bytes": {"$gte": start, "$lt": end}})
        rows += await first(found.sort(_LARGEST_FIRST), count - len(rows))
        end, stretch = start, stretch * _GROWTH
    return rows
