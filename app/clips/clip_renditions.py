"""The renditions of clips: files in other formats, which go with their clip.

Who reads the clip reads them; a side by side, who reads each of its clips. The row of each promises
its file, and holds its bytes in its owner's quota from the request on;
`app/captures/rendition_execution.py` makes the file, and removes what is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from app.access import quota
from app.clips import clip_access
from app.context import Context
from app.errors import NotFound
from app.models import CaptureStatus, ClipRow, FileRow, RenditionRow, Row
from app.models.schema import File, Rendition, ReplayClip
from app.work import errands, rounds

NO_RENDITION = "the clip has no such rendition"
MOST = 20
"""Of one clip."""
LAST_LOOK = timedelta(seconds=20)
"""After a withdrawal somebody looks for what a worker wrote that had not noticed it yet."""
_THERE: Row = {"status": {"$nin": [CaptureStatus.ACCEPTING, CaptureStatus.CANCELLED]}}

log = structlog.get_logger()


async def of_clip(ctx: Context, clip_id: str) -> Sequence[RenditionRow]:
    """A clip's renditions, the oldest first."""
    found = ctx.store.rows(Rendition).find({"clip_id": clip_id, **_THERE})
    return await found.sort([("accepted_at", 1), ("_id", 1)]).to_list(None)


async def clips_of(ctx: Context, row: RenditionRow, clip: ClipRow) -> list[ClipRow]:
    """The rows of all clips that a rendition of `clip` shows. Raises NotFound if one is no more."""
    if not row["beside"]:
        return [clip]
    found = ctx.store.rows(ReplayClip).find({"_id": {"$in": row["beside"]}})
    clips = [clip, *await found.to_list(None)]
    if len(clips) <= len(row["beside"]):
        raise NotFound(NO_RENDITION)
    return clips


async def clips_of_file(ctx: Context, file: FileRow, clip: ClipRow) -> list[ClipRow]:
    """The rows of all clips that a file of `clip` shows. Raises NotFound if one is no more."""
    if file["_id"] == clip["file_id"]:
        return [clip]
    row = await ctx.store.rows(Rendition).find_one({"_id": file["_id"]})
    if row is None:
        raise NotFound(NO_RENDITION)
    return await clips_of(ctx, row, clip)


async def rendered(ctx: Context, clip_ids: Sequence[str]) -> set[str]:
    """Which of these clips a rendition shows."""
    found: set[str] = set()
    for field in ("clip_id", "beside"):
        async for row in ctx.store.rows(Rendition).find({field: {"$in": clip_ids}, **_THERE}):
            with rounds.item(rendition=row["_id"]):
                found |= {row["clip_id"], *row["beside"]}
    return found & {*clip_ids}


async def withdraw_all(ctx: Context, clip_id: str) -> None:
    """Withdraws the renditions that show a clip that is deleted. Repeated, it changes nothing.

    A clip that was restored meanwhile keeps them. One that is being accepted meanwhile is withdrawn
    by the worker that is to make it.
    """
    beside = ctx.store.rows(Rendition).find({"beside": clip_id, **_THERE})
    rows = [*await of_clip(ctx, clip_id), *await beside.to_list(None)]
    if not rows or await ctx.store.rows(ReplayClip).find_one({"_id": clip_id} | clip_access.SHOWN):
        return
    for row in rows:
        await withdraw(ctx, row)


async def withdraw(ctx: Context, row: RenditionRow) -> bool:
    """Ends a rendition: nobody reads it, its quota is free. A worker removes its file.

    False if it is withdrawn already.
    """
    rendition_id, now = row["_id"], datetime.now(UTC)
    is_over = row["lease_until"] is None
    fields = {
        "status": CaptureStatus.CANCELLED,
        "content": rendition_id,
        "lease": None,
        "lease_until": now if is_over else now + LAST_LOOK,
    }
    which = {"_id": rendition_id, **_THERE}
    ended = await ctx.store.rows(Rendition).update_one(which, {"$set": fields})
    if not ended.modified_count:
        return False
    await quota.bar(ctx.store, row["caller"], rendition_id)
    await ctx.store.rows(File).delete_one({"_id": rendition_id})
    log.info("rendition_withdrawn", rendition=rendition_id, clip=row["clip_id"])
    await ask(ctx, rendition_id)
    return True


async def ask(ctx: Context, rendition_id: str) -> None:
    """Asks the queue to hurry. The row is the promise: without it somebody comes later."""
    try:
        await ctx.queue.ask(errands.RENDITION, rendition_id)
    except RedisError as error:
        log.warning("rendition_not_queued", rendition=rendition_id, error=repr(error))
