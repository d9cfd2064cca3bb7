"""Pages of clips, by when they were made.

A page costs the same however many clips there are: conditions that no index serves are checked on
a limited number of rows, and a page that found less than was asked for says where to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, NamedTuple

from app.access import policy, presence
from app.access.policy import ClipsSeen
from app.access.tokens import Caller
from app.clips import clip_access, clip_looks
from app.clips.clip_looks import NEWEST_FIRST
from app.context import Context
from app.models import ClipOrder, ClipRow, FileRow, Row, Visibility, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Page, Position
from app.models.schema import File

LOOKED_AT = 500


@dataclass(frozen=True)
class Clip:
    """A clip's row with the row of its file."""

    row: ClipRow
    file: FileRow


_Admits = Callable[[ClipRow], bool]


class _Scope(NamedTuple):
    """What rows must match, and, if that is more than all that an index serves, whether one does.

    An index serves equalities that it begins with, and one range after them: see `app.store`.
    """

    which: Row
    admits: _Admits | None = None


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
    wanted = replace(wanted, room=seen.room or wanted.room)
    since = max(wanted.since or EPOCH, EPOCH)  # nothing is older, and dates have an end there
    until = wanted.until or FAR
    is_oldest = wanted.order == ClipOrder.OLDEST
    begin: Position = (since if is_oldest else until, "")
    if after is not None:
        begin = (max if is_oldest else min)(begin, keyset.read(after))
    scopes = await _scopes(ctx, caller, seen, wanted)
    counts = [looked_at if _is_checked(wanted, scope) else limit + 1 for scope in scopes]
    resting = partial(clip_looks.resting, is_oldest=is_oldest)
    look = resting if wanted.deleted else clip_looks.after if is_oldest else clip_looks.before
    end = until if is_oldest else since
    looks = [
        look(ctx, scope.which, begin, end, count)
        for scope, count in zip(scopes, counts, strict=True)
    ]
    found = await asyncio.gather(*looks)
    # A clip of one's screen that is shared with one's room comes twice.
    unique = {NEWEST_FIRST.position(row): row for each in found for row in each}
    seen_by = {
        row["_id"]
        for scope, each in zip(scopes, found, strict=True)
        for row in each
        if scope.admits is None or scope.admits(row)
    }
    # Beyond the last row of a look that did not come to its end others of its rows may lie.
    ends = [
        NEWEST_FIRST.position(each[-1])
        for each, count in zip(found, counts, strict=True)
        if len(each) >= count
    ]
    rows = [unique[place] for place in sorted(unique, reverse=not is_oldest)]
    if ends:
        last = unique[(min if is_oldest else max)(ends)]
        rows = rows[: rows.index(last) + 1]
    return await _filled(ctx, wanted, rows, seen_by, limit, more=bool(ends))


def _is_checked(wanted: Wanted, scope: _Scope) -> bool:
    """Whether rows of the scope may be none of those that are wanted, or seen."""
    which = scope.which
    return (
        scope.admits is not None
        or wanted.deleted
        or wanted.title is not None
        or wanted.visibility is not None
        or (wanted.owner is not None and "owner" not in which)
        or (wanted.shared_by is not None and "shared_by" not in which)
        or (wanted.but_of is not None and "owner" not in which)
    )


async def _filled(
    ctx: Context,
    wanted: Wanted,
    rows: Sequence[ClipRow],
    seen_by: Set[str],
    limit: int,
    *,
    more: bool,
) -> Page[Clip]:
    kept: list[ClipRow] = []
    last: ClipRow | None = rows[-1] if rows and more else None
    for place, row in enumerate(rows):
        if row["_id"] in seen_by and fits(row, wanted, ctx.settings.trash):
            kept.append(row)
        if len(kept) == limit:
            last = row if more or place + 1 < len(rows) else None
            break
    files = ctx.store.rows(File).find({"_id": {"$in": [row["file_id"] for row in kept]}})
    by_id = {file["_id"]: file for file in await files.to_list(None)}
    shown = [Clip(row, by_id[row["file_id"]]) for row in kept if row["file_id"] in by_id]
    return Page(shown, keyset.written(NEWEST_FIRST.position(last)) if last is not None else None)


FITTING: Row = dict.fromkeys(
    (
        *("ready", "deleted_at", "created_at", "owner", "shared_by", "room", "moment_id"),
        *("visibility", "title", "file_id"),
    ),
    1,
)
"""What `fits` reads of a clip, and which file is its own."""


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


async def _scopes(ctx: Context, caller: Caller, seen: ClipsSeen, wanted: Wanted) -> list[_Scope]:
    """All clips; or the caller's, those of their screen, and their rooms'."""
    room, owner, me = wanted.room, wanted.owner, caller.identity
    of_moment: Row = {} if wanted.moment_id is None else {"moment_id": wanted.moment_id}
    here: Row = {} if room is None else {"room": room}
    if wanted.deleted:
        here = clip_access.restorable(datetime.now(UTC), ctx.settings.trash)
    if seen.everybodys:
        return [_Scope(of_moment | ({} if owner is None else {"owner": owner}) | here)]
    scopes: list[_Scope] = []
    if owner in (None, me) and wanted.but_of != me:
        scopes.append(_Scope(of_moment | {"owner": me} | here))
    if owner == me or wanted.deleted:
        return scopes
    if wanted.shared_by in (None, me):
        scopes.append(_Scope(of_moment | {"shared_by": me, "opened": True} | here))
    if wanted.shared_by != me:
        for which, admits in await _of_rooms(ctx, caller, seen, room):
            scopes.append(_Scope(of_moment | which, admits))
    return scopes


async def _of_rooms(
    ctx: Context, caller: Caller, seen: ClipsSeen, room: str | None
) -> list[_Scope]:
    """What is open to the rooms that the caller was in, and opened in those they administrate."""
    if not (seen.visited or seen.administered):
        return []
    visited, live = await asyncio.gather(
        presence.rooms_of(ctx.store, caller.identity, room), presence.live_for(ctx.store, caller)
    )
    found: list[_Scope] = []
    if seen.visited and visited:
        if room is None:
            found.append(_Scope({"audience": {"$in": visited}}))
        else:
            shared: Row = {"room": room, "visibility": Visibility.ROOM}
            found.append(_Scope(shared, _among("audience", visited)))
    if seen.administered and (sids := {*visited} | ({live} if live is not None else set())):
        if room is None:
            found.append(_Scope({"room_sid": {"$in": sorted(sids)}, "opened": True}))
        else:
            found.append(_Scope({"room": room, "opened": True}, _among("room_sid", sids)))
    return found


def _among(field: Literal["audience", "room_sid"], sids: Collection[str]) -> _Admits:
    known = frozenset(sids)
    return lambda row: row[field] in known
