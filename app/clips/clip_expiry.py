"""What becomes of clips with time: expired ones are deleted, deleted ones lose their file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog

from app import metrics
from app.access import audit, quota
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
from app.models.schema import Deed, File, ReplayClip
from app.storage.confined import PathRefused
from app.stretches import Walk
from app.work import rounds, set_clock
from app.work.jobs import job, seconds

AT_A_TIME = 200
"""Clips of one pass; the next one takes the rest."""
_KEPT_BY_NOBODY: Row = {"keep": False, "ready": True, "deleted_at": None}
MOST_REFUSED = 50
"""Clips of one pass which a store does not let go, as a legal hold has it. With more it is the
store that refuses."""

log = structlog.get_logger()


class NotRemoved(Exception):
    """A clip's store does not let go of it; of others it does."""


class Walks:
    """How far the passes of one worker have come: each goes on where the one before ended."""

    def __init__(self) -> None:
        self.expired = Walk(ReplayClip, "expires_at")
        self.resting = Walk(ReplayClip, "deleted_at")
        self.over = Walk(ReplayClip, "deleted_at")


@job("sweep_clips", every=seconds(15), timeout=seconds(90))
async def sweep_clips(
    ctx: Context, walks: Walks | None = None, *, now: datetime | None = None
) -> None:
    """Deletes clips that have expired, removes those that were deleted.

    Interrupted anywhere, a later pass does the rest. While the media root is away all waits.
    `walks` None: it begins at the newest.
    """
    if not await ctx.has_media_root():
        return
    walks = walks or Walks()
    now = now or set_clock.OURS.cautious(datetime.now(UTC))
    expired = walks.expired.go_on(ctx.store, _KEPT_BY_NOBODY, until=now, count=AT_A_TIME)
    await _expire(ctx, expired, now)
    over = now - await trash.rest(ctx)
    resting = walks.resting.go_on(ctx.store, {}, since=over, count=AT_A_TIME)
    await _uncharge(ctx, [row async for row in resting if row.get("ready")])
    refused: list[str] = []

    async def sweep(row: ClipRow) -> None:
        if await charging.let_go(ctx, row) and not await _is_being_copied(ctx, row, now):
            try:
                await _remove(ctx, row)
            except StoreRefuses as error:
                refused.append(row["_id"])
                if len(refused) > MOST_REFUSED:
                    raise
                raise NotRemoved(str(error)) from error

    await _each(walks.over.go_on(ctx.store, {}, until=over, count=AT_A_TIME), sweep)


async def _each(found: AsyncIterable[ClipRow], serve: Callable[[ClipRow], Awaitable[None]]) -> None:
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
    await _expire(ctx, ctx.store.rows(ReplayClip).find(which | _KEPT_BY_NOBODY), now)


async def _expire(ctx: Context, found: AsyncIterable[ClipRow], now: datetime) -> None:
    async def hide(row: ClipRow) -> None:
        async with clip_deeds.audited(ctx, audit.NOBODY, AuditAction.CLIP_EXPIRED, row) as doing:
            doing.is_done = await charging.hide(ctx, row, now, keep=False)
        if doing.is_done:
            owners.add(row["owner"])
            log.info("clip_expired", clip=row["_id"], owner=row["owner"])

    owners = set[str]()
    await _each(found, hide)
    for owner in sorted(owners):
        with rounds.item(owner=owner):
            await trash.bound(ctx, owner, now)


async def _uncharge(ctx: Context, rows: Sequence[ClipRow]) -> None:
    """Frees what clips that rest still take, and withdraws their renditions: what a process has
    left that was killed."""
    of_owner: dict[str, list[str]] = {}
    for row in rows:
        with rounds.item(clip=row["_id"]):
            of_owner.setdefault(row["owner"], []).append(row["_id"])
    due = await clip_renditions.rendered(ctx, [row["_id"] for row in rows])
    for owner, ids in of_owner.items():
        with rounds.item(owner=owner):
            due |= await quota.charged(ctx.store, owner, ids)
    for row in rows:
        if row["_id"] in due:
            with rounds.item(clip=row["_id"]):
                await charging.uncharge(ctx, row)
                await clip_renditions.withdraw_all(ctx, row["_id"])


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
    if await _is_awaited(ctx, row["_id"]):
        return
    await ctx.store.rows(ReplayClip).delete_one({"_id": row["_id"]})
    log.info("clip_removed", clip=row["_id"], owner=row["owner"])


async def _is_awaited(ctx: Context, clip_id: str) -> bool:
    """Whether a deed is still to be gone on with, which finds by the row what follows of it.

    Its file has gone; a later pass deletes the row. None begins any more: nobody can show the clip.
    """
    # There are few deeds at any time: no index serves this.
    return await ctx.store.rows(Deed).find_one({"subject": clip_id}, {"_id": 1}) is not None


async def _remove_files(row: ClipRow, removal: Awaitable[None]) -> None:
    """Removes files, unless they can be none of a clip: its rows go all the same."""
    try:
        await removal
    except PathRefused as error:
        metrics.ERRORS.labels(ErrorKind.PATH_REFUSED).inc()
        log.error("clip_path_refused", clip=row["_id"], error=str(error))
