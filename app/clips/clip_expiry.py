"""What becomes of clips with time: expired ones are deleted, deleted ones lose their file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import structlog
from pymongo.asynchronous.cursor import AsyncCursor

from app import metrics
from app.access import audit
from app.clips import (
    charging,
    clean_copies,
    clip_deeds,
    clip_renditions,
    clip_thumbnails,
    trash,
)
from app.context import Context
from app.errors import StoreRefuses
from app.models import AuditAction, ClipRow, Row
from app.models.metric_words import ErrorKind
from app.models.schema import File, ReplayClip
from app.storage.confined import PathRefused
from app.store import before, since
from app.work import rounds, set_clock
from app.work.jobs import job, seconds

AT_A_TIME = 200
"""Clips of one pass; the next one takes the rest."""
MOST_REFUSED = 50
"""Clips of one pass which a store does not let go, as a legal hold has it. With more it is the
store that refuses."""

log = structlog.get_logger()


class NotRemoved(Exception):
    """A clip's store does not let go of it; of others it does."""


@job("sweep_clips", every=seconds(15), timeout=seconds(90))
async def sweep_clips(ctx: Context, *, now: datetime | None = None) -> None:
    """Deletes clips that have expired, removes those that were deleted.

    Interrupted anywhere, the next pass goes on where it ended. While the media root is away all
    waits.
    """
    if not await ctx.has_media_root():
        return
    now = now or set_clock.OURS.cautious(datetime.now(UTC))
    await expire(ctx, {"expires_at": before(now)}, now)
    rows = ctx.store.rows(ReplayClip)
    over = now - await trash.rest(ctx)
    refused: list[str] = []

    async def uncharge(row: ClipRow) -> None:
        await charging.uncharge(ctx, row)
        await clip_renditions.withdraw_all(ctx, row["_id"])

    async def sweep(row: ClipRow) -> None:
        if await charging.let_go(ctx, row) and not await _is_being_copied(ctx, row, now):
            try:
                await _remove(ctx, row)
            except StoreRefuses as error:
                refused.append(row["_id"])
                if len(refused) > MOST_REFUSED:
                    raise
                raise NotRemoved(str(error)) from error

    await _each(rows.find({"deleted_at": since(over), "ready": True}), uncharge)
    await _each(rows.find({"deleted_at": before(over)}), sweep)


async def _each(found: AsyncCursor[ClipRow], serve: Callable[[ClipRow], Awaitable[None]]) -> None:
    """Serves AT_A_TIME clips; those that can't be served are none of them, and in nobody's way."""
    served = 0
    async for row in found:
        with rounds.item(clip=row["_id"]) as attempt:
            await serve(row)
        served += attempt.error is None
        if served == AT_A_TIME:
            return


async def expire(ctx: Context, which: Row, now: datetime) -> None:
    """Deletes AT_A_TIME of those clips of `which` that nobody keeps."""
    rows = ctx.store.rows(ReplayClip)
    expired = {**which, "keep": False, "ready": True, "deleted_at": None}

    async def hide(row: ClipRow) -> None:
        async with clip_deeds.audited(ctx, audit.NOBODY, AuditAction.CLIP_EXPIRED, row) as doing:
            doing.is_done = await charging.hide(ctx, row, now, keep=False)
        if doing.is_done:
            log.info("clip_expired", clip=row["_id"], owner=row["owner"])

    await _each(rows.find(expired), hide)


async def _is_being_copied(ctx: Context, row: ClipRow, now: datetime) -> bool:
    """Whether a worker may still write beside the clip: then a later pass removes it.

    From the moment that nobody can show the clip none begins any more.
    """
    found = await ctx.store.rows(ReplayClip).find_one({"_id": row["_id"]})
    return found is not None and clean_copies.is_being_made(found, now)


async def _remove(ctx: Context, row: ClipRow) -> None:
    await clip_renditions.withdraw_all(ctx, row["_id"])
    file = await ctx.store.rows(File).find_one({"_id": row["file_id"]})
    pictures = partial(clip_thumbnails.remove, ctx.settings.media_root, row["_id"])
    await _remove_files(row, asyncio.to_thread(pictures))
    if file is not None:
        await _remove_files(row, clean_copies.remove(ctx, file["storage_path"]))
        await _remove_files(row, ctx.clips.remove([file["storage_path"]]))
        await ctx.store.rows(File).delete_one({"_id": file["_id"]})
    await ctx.store.rows(ReplayClip).delete_one({"_id": row["_id"]})
    log.info("clip_removed", clip=row["_id"], owner=row["owner"])


async def _remove_files(row: ClipRow, removal: Awaitable[None]) -> None:
    """Removes files, unless they can be none of a clip: its rows go all the same."""
    try:
        await removal
    except PathRefused as error:
        metrics.ERRORS.labels(ErrorKind.PATH_REFUSED).inc()
        log.error("clip_path_refused", clip=row["_id"], error=str(error))
