"""Pages of clips, by when they were made.

A page costs the same however many clips there are. They are asked for in stretches of time that
grow, from where the page begins, so that also a database that reads all that matches
before it sorts reads little; conditions that no index serves are checked on a limited number of
rows, and a page that found less than was asked for says where to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.access import policy, presence
from app.access.policy import ClipsSeen
from app.access.tokens import Caller
from app.clips import clip_access
from app.context import Context
from app.models import ClipOrder, ClipRow, FileRow, Row, Visibility, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page, Position
from app.models.schema import File, ReplayClip
from app.store import dated, first

LOOKED_AT = 500
_FIRST_STRETCH = timedelta(minutes=10)
_GROWTH = 4
"""Of a stretch after one that has nothing: what lies densely there is read whole."""
_NEWEST_FIRST = Order("created_at")
_OLDEST_FIRST = Order("created_at", newest_first=False)
_TICK = timedelta(milliseconds=1)
"""How exact instants in rows are."""


@dataclass(frozen=True)
class Clip:
    """A clip's row with the row of its file."""

    row: ClipRow
    file: FileRow


@dataclass(frozen=True)
class Wanted:
    """Which clips: made in `room`, by `owner`, in [since, until), with `title` within theirs, of
    the screen of `shared_by`, open to whom `visibility` says, captured together as `moment_id`;
    none of `but_of`'s; `deleted`: those that can be restored, not those that are shown. `order` is
    NEWEST or OLDEST; for LARGEST see `clip_sizes`."""

    room: str | None = None
    owner: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    title: str | None = None
    shared_by: str | None = None
    visibility: Visibility | None = None
    moment_id: str | None = None
    deleted: bool = False
    but_of: str | None = None
    order: ClipOrder = ClipOrder.NEWEST


async def page(
    ctx: Context,
    caller: Caller,
    wanted: Wanted,
    *,
    limit: int = 50,
    after: str | None = None,
    looked_at: int = LOOKED_AT,
) -> Page[Clip]:
    """The clips that the caller may see: their own, opened ones of their screen, and those shared
    with their rooms.

    Of a room admin: also what was opened in the room; of an instance admin: all. `looked_at`: rows
    to look at, at most, where conditions are checked on the rows. Raises Invalid if `after` is not
    a page's `next`.
    """
    seen = policy.clips_seen(caller)
    if seen.room is not None and wanted.room not in (None, seen.room):
        return Page([], None)
    since = max(wanted.since or EPOCH, EPOCH)  # nothing is older, and dates have an end there
    until = wanted.until or FAR
    is_oldest = wanted.order == ClipOrder.OLDEST
    begin: Position = (since if is_oldest else until, "")
    if after is not None:
        begin = (max if is_oldest else min)(begin, keyset.read(after))
    scopes = await _scopes(ctx, caller, seen, wanted)
    unindexed = wanted.title is not None or wanted.visibility is not None
    unindexed |= any(_is_checked(wanted, scope) for scope in scopes)
    count = looked_at if unindexed else limit + 1
    if is_oldest:
        looks = [_after(ctx, scope, begin, until, count) for scope in scopes]
    else:
        looks = [_before(ctx, scope, begin, since, count) for scope in scopes]
    found = await asyncio.gather(*looks)
    # A clip of one's screen that is shared with one's room comes twice.
    unique = {_NEWEST_FIRST.position(row): row for each in found for row in each}
    rows = [unique[place] for place in sorted(unique, reverse=not is_oldest)]
    more = len(rows) > count or any(len(each) == count for each in found)
    return await _filled(ctx, wanted, rows[:count], limit, more=more)


def _is_checked(wanted: Wanted, scope: Row) -> bool:
    """Whether rows of the scope may be somebody's whose clips, or whose screen, are not wanted."""
    return (
        (wanted.owner is not None and "owner" not in scope)
        or (wanted.shared_by is not None and "shared_by" not in scope)
        or (wanted.but_of is not None and "owner" not in scope)
    )


async def _filled(
    ctx: Context, wanted: Wanted, rows: Sequence[ClipRow], limit: int, *, more: bool
) -> Page[Clip]:
    kept: list[ClipRow] = []
    last: ClipRow | None = rows[-1] if rows and more else None
    for place, row in enumerate(rows):
        if fits(row, wanted, ctx.settings.trash):
            kept.append(row)
        if len(kept) == limit:
            last = row if more or place + 1 < len(rows) else None
            break
    files = ctx.store.rows(File).find({"_id": {"$in": [row["file_id"] for row in kept]}})
    by_id = {file["_id"]: file for file in await files.to_list(None)}
    shown = [Clip(row, by_id[row["file_id"]]) for row in kept if row["file_id"] in by_id]
    return Page(shown, keyset.written(_NEWEST_FIRST.position(last)) if last is not None else None)


def fits(row: ClipRow, wanted: Wanted, trash: timedelta) -> bool:
    """Whether a clip is one of those that are wanted. `trash`: how long deleted ones rest."""
    return (
        (
            clip_access.may_come_back(row, datetime.now(UTC), trash)
            if wanted.deleted
            else clip_access.is_shown(row)
        )
        and wanted.owner in (None, row["owner"])
        and wanted.room in (None, row["room"])
        and wanted.moment_id in (None, row["moment_id"])
        and (wanted.since or EPOCH) <= row["created_at"] < (wanted.until or FAR)
        and wanted.shared_by in (None, row["shared_by"])
        and row["owner"] != wanted.but_of
        and wanted.visibility in (None, row["visibility"])
        # No pattern, so nothing in it has a meaning of its own.
        and (wanted.title or "").casefold() in row["title"].casefold()
    )


async def _scopes(ctx: Context, caller: Caller, seen: ClipsSeen, wanted: Wanted) -> list[Row]:
    """What rows must match, one index each: all of them; or the caller's, those of their screen,
    and their rooms'."""
    room, owner, me = seen.room or wanted.room, wanted.owner, caller.identity
    of_moment: Row = {} if wanted.moment_id is None else {"moment_id": wanted.moment_id}
    here = of_moment | ({} if room is None else {"room": room})
    if wanted.deleted:
        here["deleted_at"] = dated()
    if seen.everybodys:
        return [({} if owner is None else {"owner": owner}) | here]
    scopes: list[Row] = []
    if owner in (None, me) and wanted.but_of != me:
        scopes.append({"owner": me} | here)
    if owner == me or wanted.deleted:
        return scopes
    candidates: list[Row] = []
    if wanted.shared_by in (None, me):
        candidates.append({"shared_by": me, "opened": True} | here)
    if wanted.shared_by != me:
        candidates += [each | of_moment for each in await _of_rooms(ctx, caller, seen, room)]
    for scope in candidates:
        # Most often nothing is shared, and then nothing has to be looked at one by one.
        if await ctx.store.rows(ReplayClip).find_one(scope, {"_id": 1}):
            scopes.append(scope)
    return scopes


async def _of_rooms(ctx: Context, caller: Caller, seen: ClipsSeen, room: str | None) -> list[Row]:
    """What is open to the rooms that the caller was in, and opened in those they administrate."""
    if not (seen.visited or seen.administered):
        return []
    visited, live = await asyncio.gather(
        presence.rooms_of(ctx.store, caller.identity, room), presence.live_for(ctx.store, caller)
    )
    found: list[Row] = []
    if seen.visited and visited:
        found.append({"audience": {"$in": visited}})
    if seen.administered and (sids := {*visited} | ({live} if live is not None else set())):
        found.append({"room_sid": {"$in": sorted(sids)}, "opened": True})
    return found


async def _before(
    ctx: Context, scope: Row, begin: Position, since: datetime, count: int
) -> list[ClipRow]:
    """The newest rows of a scope before a position, at most `count` and not older than `since`."""
    at, clip_id = begin
    clips = ctx.store.rows(ReplayClip)
    rows: list[ClipRow] = []
    if clip_id and at >= since:
        same = clips.find(scope | _NEWEST_FIRST.beside(begin)).sort(_NEWEST_FIRST.sorting)
        rows = await first(same, count)
    # An hour more than now: other machines' clocks.
    end = min(at, datetime.now(UTC) + timedelta(hours=1))
    # Few rest deleted, and no index has both instants: one look finds them all.
    stretch = end - EPOCH if "deleted_at" in scope else _FIRST_STRETCH
    while len(rows) < count and end > since:
        start = max(since, end - stretch)
        older = clips.find(scope | _NEWEST_FIRST.beyond(None, start, end))
        found = await first(older.sort(_NEWEST_FIRST.sorting), count - len(rows))
        rows += found
        # As far on as the rest lies if it lies as densely, and not in one leap.
        factor = min(_GROWTH, (count - len(rows)) / len(found)) if found else _GROWTH
        end, stretch = start, min(stretch * max(1.0, factor), end - EPOCH)
    return rows


async def _after(
    ctx: Context, scope: Row, begin: Position, until: datetime, count: int
) -> list[ClipRow]:
    """The oldest rows of a scope after a position, at most `count` and made before `until`."""
    at, clip_id = begin
    clips = ctx.store.rows(ReplayClip)
    rows: list[ClipRow] = []
    end = min(until, datetime.now(UTC) + timedelta(hours=1))
    stretch = end - at
    if clip_id and at < end:
        same = clips.find(scope | _OLDEST_FIRST.beside(begin)).sort(_OLDEST_FIRST.sorting)
        rows, at, stretch = await first(same, count), at + _TICK, _FIRST_STRETCH
    while len(rows) < count and at < end:
        # Never more than half of what is left: nobody knows where the oldest lies.
        stretch = min(stretch, max(_FIRST_STRETCH, (end - at) / 2))
        stop = min(end, at + stretch)
        younger = clips.find(scope | _OLDEST_FIRST.beyond(None, at, stop))
        rows += await first(younger.sort(_OLDEST_FIRST.sorting), count - len(rows))
        at, stretch = stop, stretch * _GROWTH
    return rows
