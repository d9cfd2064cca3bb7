"""Making the copies of clips that others get: cut exactly, of the clip's own file.

The clip's row is the promise. Interrupted at any point, by a kill too, another worker begins anew
once the lease is over; the file gets its name before the row tells of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from pymongo.errors import PyMongoError

from app import metrics
from app.captures import exact_cut, far_writer, store_outage
from app.captures.capture_tools import CaptureTools
from app.captures.progress import Fraction
from app.captures.row_leases import LeasedRows, Lost, RowLease
from app.captures.slots import CallersSlots
from app.clips import clean_copies, clip_source, library, play_time
from app.clips.clip_location import clean_path
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import StoreAway
from app.media import own_movie
from app.models import CaptureStage, ClipRow, Gaps
from app.models.metric_words import ErrorKind
from app.models.schema import ReplayClip
from app.storage import clip_files, composition
from app.store import Store, before
from app.work import errands, rounds
from app.work.jobs import job, seconds

LONGEST_BACKOFF_SECONDS = 3600.0
_CLIPS = LeasedRows(ReplayClip, "clean_lease", "clean_until", "clean_attempts")

_Outcome = TypeVar("_Outcome")
_Lease = RowLease[ClipRow]
log = structlog.get_logger()


@job(errands.CLEAN_COPY, timeout=seconds(15))
async def begin(
    ctx: Context, tools: CaptureTools, running: asyncio.TaskGroup, clip_id: str
) -> None:
    """Has a copy made among the captures that `running` holds; to the queue it is done."""
    running.create_task(run(ctx, tools, clip_id))


@job("requeue_clean_copies", every=seconds(5), timeout=seconds(30))
async def requeue_due(ctx: Context) -> None:
    """Asks again for every copy of a clip whose worker is gone, or whose job the queue has lost."""
    rows = ctx.store.rows(ReplayClip)
    now = datetime.now(UTC)
    fields = {"clean_until": 1, "clean_lease": 1}
    for row in await rows.find({"clean_until": before(now), "ready": True}, fields).to_list(None):
        with rounds.item(clip=row["_id"]):
            free = {"clean_until": now + clean_copies.PROMISE, "clean_lease": None}
            if await ctx.store.take(ReplayClip, row, free) is not None:
                log.info("clean_copy_queued_again", clip=row["_id"])
                await ctx.queue.ask(errands.CLEAN_COPY, row["_id"])


async def run(ctx: Context, tools: CaptureTools, clip_id: str) -> None:
    """Makes a copy, if it is due and nobody else does. Raises nothing but CancelledError.

    Cancelled, it leaves the work to another worker.
    """
    with structlog.contextvars.bound_contextvars(clip=clip_id):
        try:
            taken = await take(ctx.store, clip_id)
            if taken is not None:
                row, lease = taken
                async with lease.renewed():
                    await _run(ctx, tools, row, lease)
        except PyMongoError as error:
            # The lease ends by itself, and then the row is asked for again.
            log.warning("clean_copy_interrupted", error=repr(error))


async def take(store: Store, clip_id: str) -> tuple[ClipRow, _Lease] | None:
    """The row and its lease; None if the copy is there, the clip goes, or somebody else has it."""
    if (taken := await _CLIPS.take(store, clip_id, ready=True)) is None:
        return None
    row, token = taken
    return row, RowLease(store, _CLIPS, clip_id, token)


async def _run(ctx: Context, tools: CaptureTools, row: ClipRow, lease: _Lease) -> None:
    try:
        await _make(ctx, tools, await library.with_file(ctx, row), lease)
    except Lost:
        log.info("clean_copy_lost")
    except asyncio.CancelledError:
        with suppress(PyMongoError):  # then the lease ends by itself
            await asyncio.shield(lease.hand_back(0))
        raise
    except PyMongoError:
        raise
    except StoreAway as error:
        await lease.hand_back(store_outage.noted(error))
    except Exception:  # whatever it was, it may be over the next time
        metrics.ERRORS.labels(ErrorKind.CLEAN_COPY_FAILED).inc()
        log.exception("clean_copy_failed", attempt=row["clean_attempts"])
        backoff = 2.0 ** min(row["clean_attempts"], 20)
        await lease.hand_back(min(backoff, LONGEST_BACKOFF_SECONDS))


async def _make(ctx: Context, tools: CaptureTools, clip: Clip, lease: _Lease) -> None:
    row, root = clip.row, ctx.clips.parts_root
    path = clean_path(clip.file["storage_path"])
    await store_outage.require_root(ctx)
    part = await asyncio.to_thread(clip_files.part_path, root, path, row["clean_attempts"])
    media_of = row["buffer_id"] or row["_id"]
    slots = CallersSlots(tools.slots, row["owner"], media_of)
    try:
        async with (
            slots.fetching(),
            clip_source.excerpt(ctx, clip.file, part) as source,
        ):
            with clip_files.disk_errors():
                await lease.hold(source.fetch_beginning(media_bytes=0))
            began = play_time.begin(row)
            runs = [await asyncio.to_thread(own_movie.read, source.path, began, row["_id"])]
            written = await exact_cut.make(
                runs,
                part,
                _Watched(lease),
                slots,
                far_writer.of(ctx.clips, source, clip.file),
                gaps=Gaps.SKIP,
            )
        await asyncio.to_thread(clip_files.sync, part)
        await tools.verifier.verify(part, written.expected, caller=row["owner"], source=media_of)
        size_bytes = part.stat().st_size
        checksum = None
        if written.listing is None:
            checksum = await asyncio.to_thread(clip_files.sha256, part)
        await lease.keep()
        await lease.hold(ctx.clips.publish(path, written.listing or part))
        if checksum is None:
            checksum = await lease.hold(ctx.clips.sha256(path))
    finally:
        composition.discard(part)
    await asyncio.to_thread(clip_files.discard_parts, root, path)
    # Not if the clip is about to go.
    copy = {"clean_bytes": size_bytes, "clean_checksum": f"sha256:{checksum}"}
    await lease.end(copy, ready=True)
    log.info("clean_copy_made", bytes=size_bytes)


class _Watched:
    """The making of a copy, given up when its lease is lost. Nobody is told how far it is."""

    def __init__(self, lease: _Lease) -> None:
        self._lease = lease

    async def stage(self, stage: CaptureStage) -> None:
        """Told to nobody."""

    async def watch(self, work: Coroutine[Any, Any, _Outcome], fraction: Fraction) -> _Outcome:
        """The outcome of `work`, which is cancelled when the lease is lost. Raises Lost then."""
        return await self._lease.hold(work)
