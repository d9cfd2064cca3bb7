"""Copies of clips without what these hide before the start: what all but their owners get.

The row of a clip promises its copy, a worker makes it of the clip's own file, and it goes with the
clip. It lies on the disk and is charged to nobody: its owner has not asked for it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from app.clips.clip_location import clean_path
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import ReplayError
from app.models import ClipRow, FileRow
from app.models.schema import ReplayClip
from app.storage import clip_files
from app.work import errands

PROMISE = timedelta(seconds=15)
"""Not taken by then, a copy is asked for again."""
SOON_SECONDS, LATE_SECONDS = 1, 60
_SOON_ATTEMPTS = 3

log = structlog.get_logger()


class Preparing(ReplayError):
    slug, status, title = "preparing", 503, "Copy is being prepared"


def replaces(row: ClipRow) -> bool:
    """Whether others get a copy of the clip instead of its file."""
    return row["hidden_head_seconds"] > 0 and not row["hidden_head_shared"]


def is_replaced(row: ClipRow) -> bool:
    """Whether others are served a copy, there or not: the clip has left its owner, or is to."""
    left = row["opened"] or row["clean_until"] is not None
    return replaces(row) and (left or row["clean_bytes"] is not None)


def is_due(row: ClipRow) -> bool:
    """Whether others have to wait for the copy."""
    return is_replaced(row) and row["clean_bytes"] is None


def is_being_made(row: ClipRow, now: datetime) -> bool:
    """Whether a worker is at it, and may still write beside the clip."""
    until = row["clean_until"]
    return row["clean_lease"] is not None and until is not None and until > now


def size_for_others(clip: Clip) -> int:
    """The size of what others get; of the clip itself, until its copy is there."""
    return (is_replaced(clip.row) and clip.row["clean_bytes"]) or clip.file["size_bytes"]


async def want(ctx: Context, row: ClipRow) -> None:
    """Promises the copy of a clip that hides something; asked again it changes nothing."""
    there = row["clean_bytes"] is not None or row["clean_until"] is not None
    if there or not row["hidden_head_seconds"]:
        return
    fields = {"clean_until": datetime.now(UTC) + PROMISE, "clean_lease": None}
    if await ctx.store.take(ReplayClip, row, fields, clean_bytes=None) is None:
        return  # somebody was faster
    try:
        await ctx.queue.ask(errands.CLEAN_COPY, row["_id"])
    except RedisError as error:
        # The row is the promise; it is asked for again as soon as the queue is back.
        log.warning("clean_copy_not_queued", clip=row["_id"], error=repr(error))


async def file_for_others(ctx: Context, clip: Clip) -> FileRow:
    """The row of the file that is served to anybody but the clip's owner.

    Raises Preparing while it is being made. A clip that has never left its owner, and that only the
    instance's admin reads besides, is its own. So is a rendition, which is made of what is shown.
    """
    row, file = clip.row, clip.file
    if not is_replaced(row) or file["_id"] != row["file_id"]:
        return file
    if row["clean_bytes"] is not None:
        return {
            **file,
            "_id": f"{file['_id']}-clean",
            "size_bytes": row["clean_bytes"],
            "checksum": row["clean_checksum"],
            "storage_path": clean_path(file["storage_path"]),
        }
    await want(ctx, row)
    raise Preparing(
        "the copy without what the clip hides before its start is being made: try again",
        retry_after=again_seconds(row),
    )


def again_seconds(row: ClipRow) -> int:
    """When to look for the copy again."""
    return SOON_SECONDS if row["clean_attempts"] <= _SOON_ATTEMPTS else LATE_SECONDS


async def remove(ctx: Context, storage_path: str) -> None:
    """Removes the copy of a clip's file, and what attempts to make it have left."""
    path = clean_path(storage_path)
    await asyncio.to_thread(clip_files.discard_parts, ctx.clips.parts_root, path)
    await ctx.clips.abort_uploads(path)
    await ctx.clips.remove([path])
