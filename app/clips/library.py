"""The clips that people keep: found, changed, deleted and taken back."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo import DESCENDING

from app.access import quota
from app.access.tokens import Caller
from app.context import Context
from app.errors import Gone, Invalid, NotFound
from app.models import File, ReplayClip
from app.store import Row

RESTORE_SECONDS = 60
NO_CLIP = "there is no such clip, or it is not yours"

log = structlog.get_logger()


@dataclass(frozen=True)
class Clip:
    """A clip's row with the row of its file."""

    row: Row
    file: Row


@dataclass(frozen=True)
class Page:
    """Some clips, newest first; `next` is where the following ones begin, None at the end."""

    items: list[Clip]
    next: str | None


def _scope(caller: Caller) -> dict[str, Any]:
    """What a clip's row must match for the caller to see it: one's own, an admin: all."""
    matching: dict[str, Any] = {} if caller.instance_admin else {"owner": caller.identity}
    return matching if caller.room is None else matching | {"room": caller.room}


async def page(
    ctx: Context,
    caller: Caller,
    *,
    room: str | None = None,
    owner: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page:
    """The clips that the caller may see. Raises Invalid if `after` is not a page's `next`."""
    wanted: list[dict[str, Any]] = [_scope(caller), {"ready": True, "deleted_at": None}]
    wanted += [{"room": room}] if room is not None else []
    wanted += [{"owner": owner}] if owner is not None else []
    if after is not None:
        created_at, clip_id = _position(after)
        older = {"created_at": {"$lt": created_at}}
        same = {"created_at": created_at, "_id": {"$lt": clip_id}}
        wanted.append({"created_at": {"$lte": created_at}, "$or": [older, same]})
    rows = (
        await ctx.store.rows(ReplayClip)
        .find({"$and": [part for part in wanted if part]})
        .sort([("created_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    files = ctx.store.rows(File).find({"_id": {"$in": [row["file_id"] for row in rows]}})
    by_id = {file["_id"]: file async for file in files}
    shown = [Clip(row, by_id[row["file_id"]]) for row in rows[:limit] if row["file_id"] in by_id]
    return Page(shown, _cursor(rows[limit - 1]) if len(rows) > limit else None)


async def find(ctx: Context, caller: Caller, clip_id: str) -> Clip:
    """One clip. Raises NotFound, whether it does not exist or is somebody else's."""
    return await _found(ctx, {"_id": clip_id, "ready": True, "deleted_at": None} | _scope(caller))


async def change(ctx: Context, caller: Caller, clip_id: str, changes: dict[str, Any]) -> Clip:
    """Sets fields of a clip (title, visibility, keep). Raises NotFound."""
    where = {"_id": clip_id, "ready": True, "deleted_at": None} | _scope(caller)
    if changes:
        await ctx.store.rows(ReplayClip).update_one(where, {"$set": changes})
    return await _found(ctx, where)


async def delete(ctx: Context, caller: Caller, clip_id: str) -> None:
    """Hides a clip and frees its quota; the file goes RESTORE_SECONDS later. Raises NotFound."""
    where = {"_id": clip_id, "ready": True, "deleted_at": None} | _scope(caller)
    row = await ctx.store.rows(ReplayClip).find_one_and_update(
        where, {"$set": {"deleted_at": datetime.now(UTC)}}
    )
    if row is None:
        raise NotFound(NO_CLIP)
    await quota.give_back(ctx.store, row["owner"], clip_id)
    log.info("clip_deleted", clip=clip_id, owner=row["owner"], by=caller.identity)


async def restore(ctx: Context, caller: Caller, clip_id: str) -> Clip:
    """Takes back a DELETE of less than RESTORE_SECONDS ago, and charges the clip again.

    Raises NotFound, Gone if it is too late, QuotaExceeded. A clip that is not deleted stays so.
    """
    rows = ctx.store.rows(ReplayClip)
    mine = {"_id": clip_id} | _scope(caller)
    clip = await _found(ctx, mine)
    if clip.row["deleted_at"] is None and clip.row["ready"]:
        return clip
    still = {
        "ready": True,
        "deleted_at": {"$gt": datetime.now(UTC) - timedelta(seconds=RESTORE_SECONDS)},
    }
    late = Gone(f"a deleted clip can be restored for {RESTORE_SECONDS} s; that time is over")
    if await rows.find_one(mine | still) is None:
        raise late
    owner = clip.row["owner"]
    await quota.charge(ctx.store, ctx.settings, owner, clip_id, clip.file["size_bytes"])
    changed = await rows.update_one(mine | still, {"$set": {"deleted_at": None}})
    if not changed.modified_count:
        shown = await rows.find_one(mine | {"ready": True, "deleted_at": None})
        if shown is None:
            await quota.give_back(ctx.store, owner, clip_id)
            raise late
    log.info("clip_restored", clip=clip_id, owner=owner, by=caller.identity)
    return await _found(ctx, mine)


async def file_of(ctx: Context, caller: Caller | None, file_id: str) -> Row:
    """The row of a file that may be read. `caller` None: a signature has allowed it.

    Raises NotFound, and Gone to whom may know of it if its clip is deleted.
    """
    file = await ctx.store.rows(File).find_one({"_id": file_id})
    clip = file and await ctx.store.rows(ReplayClip).find_one(
        {"_id": file["resource_id"]} | (_scope(caller) if caller else {})
    )
    if not file or not clip:
        raise NotFound("there is no such file, or it is not yours")
    if clip["deleted_at"] is not None or not clip["ready"]:
        raise Gone("the clip was deleted")
    return file


async def _found(ctx: Context, where: dict[str, Any]) -> Clip:
    row = await ctx.store.rows(ReplayClip).find_one(where)
    file = row and await ctx.store.rows(File).find_one({"_id": row["file_id"]})
    if not row or not file:
        raise NotFound(NO_CLIP)
    return Clip(row, file)


def _cursor(row: Row) -> str:
    text = f"{row['created_at'].timestamp() * 1000:.0f}/{row['_id']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        milliseconds, _, clip_id = text.partition("/")
        since_1970 = timedelta(milliseconds=int(milliseconds))
        return datetime(1970, 1, 1, tzinfo=UTC) + since_1970, clip_id
    except (ValueError, binascii.Error, OverflowError) as error:
        raise Invalid(f"next={cursor[:80]!r} is not what a list gave: leave it out") from error
