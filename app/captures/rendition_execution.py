"""Making renditions of clips, and removing those that are withdrawn.

The row is the promise. Interrupted at any point, by a kill too, another worker begins anew once the
lease is over; where the file has its row, it goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pymongo.errors import PyMongoError

from app import metrics
from app.access import quota
from app.captures import (
    rendition_encoding,
    rendition_media,
    renditions,
    row_leases,
    store_outage,
)
from app.captures.capture_tools import CaptureTools
from app.captures.failures import GaveUp
from app.captures.ffmpeg_process import Effort
from app.captures.progress import Fraction, watched
from app.captures.rendition_kinds import KINDS
from app.captures.row_leases import LeasedRows, Lost, RowLease
from app.captures.slots import CallersSlots
from app.clips import clip_access, clip_renditions, clip_report, clip_source, library, play_time
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import NotFound, ReplayError, StoreAway
from app.models import CaptureStatus, FileRow, RenditionRow
from app.models.metric_words import ErrorKind
from app.models.schema import File, Rendition, ReplayClip
from app.storage import clip_files
from app.store import before, row_of
from app.work import errands, rounds
from app.work.jobs import job, seconds

ATTEMPTS = 5
BACKOFF_SECONDS = 2.0
_ROWS = LeasedRows(Rendition, "lease", "lease_until", "attempts")

_Lease = RowLease[RenditionRow]
log = structlog.get_logger()


@job(errands.RENDITION, timeout=seconds(15))
async def begin(
    ctx: Context, tools: CaptureTools, running: asyncio.TaskGroup, rendition_id: str
) -> None:
    """Has a rendition made among the captures that `running` holds; to the queue it is done."""
    running.create_task(run(ctx, tools, rendition_id))


@job("requeue_renditions", every=seconds(5), timeout=seconds(30))
async def requeue_due(ctx: Context) -> None:
    """Asks again for every rendition whose worker is gone, or whose job the queue has lost."""
    rows, now = ctx.store.rows(Rendition), datetime.now(UTC)
    for row in await rows.find({"lease_until": before(now)}).to_list(None):
        with rounds.item(rendition=row["_id"]):
            free = {"lease": None, "lease_until": row_leases.until()}
            if await ctx.store.take(Rendition, row, free) is not None:
                log.info("rendition_queued_again", rendition=row["_id"])
                await ctx.queue.ask(errands.RENDITION, row["_id"])


async def run(ctx: Context, tools: CaptureTools, rendition_id: str) -> None:
    """Brings a rendition as far as it can be brought. Raises nothing but CancelledError.

    Cancelled, it leaves the work to another worker.
    """
    with structlog.contextvars.bound_contextvars(rendition=rendition_id):
        try:
            if (taken := await _ROWS.take(ctx.store, rendition_id)) is None:
                return
            row, token = taken
            lease = RowLease(ctx.store, _ROWS, rendition_id, token)
            async with lease.renewed():
                await _run(ctx, tools, row, lease)
        except (PyMongoError, *rounds.STORES_AWAY) as error:
            # The lease ends by itself, and then the row is asked for again.
            log.warning("rendition_interrupted", error=repr(error))


async def _run(ctx: Context, tools: CaptureTools, row: RenditionRow, lease: _Lease) -> None:
    try:
        match row["status"]:
            case CaptureStatus.ACCEPTING:
                await renditions.give_up(ctx, row)
            case CaptureStatus.CANCELLED:
                await _remove(ctx, row, lease)
            case CaptureStatus.FAILED:
                await _give_back(ctx, row, lease)
            case _:
                await _bring_to_its_end(ctx, tools, row, lease)
    except Lost:
        log.info("rendition_lost")
    except asyncio.CancelledError:
        with suppress(PyMongoError):  # then the lease ends by itself
            await asyncio.shield(lease.hand_back(0, attempted=False))
        raise
    except PyMongoError:
        raise
    except StoreAway as error:
        await lease.hand_back(store_outage.noted(error), attempted=False)
    except Exception:  # whatever it was, the next attempt may get further, and their number ends
        log.exception("rendition_attempt_failed", attempt=row["attempts"])
        await lease.hand_back(BACKOFF_SECONDS * row["attempts"], attempted=True)


async def _remove(ctx: Context, row: RenditionRow, lease: _Lease) -> None:
    """Removes what is left of one that was withdrawn. Its row stays a while: it is counted."""
    path = row["storage_path"]
    await asyncio.to_thread(clip_files.discard_parts, ctx.clips.parts_root, path)
    await ctx.clips.abort_uploads(path)
    await ctx.clips.remove([path])
    await ctx.store.rows(File).delete_one({"_id": row["_id"]})
    await quota.give_back(ctx.store, row["caller"], row["_id"])
    await lease.end({"size_bytes": None})
    log.info("rendition_removed")


async def _bring_to_its_end(
    ctx: Context, tools: CaptureTools, row: RenditionRow, lease: _Lease
) -> None:
    if not (clips := await _clips(ctx, row)):
        await clip_renditions.withdraw(ctx, row)
        return
    await renditions.note(ctx, row, clips[0].row)
    try:
        if row["attempts"] > ATTEMPTS:
            raise GaveUp(f"{ATTEMPTS} attempts to make it did not come to an end")
        # Its row says that the file has its name: somebody came so far.
        file = await ctx.store.rows(File).find_one({"_id": row["_id"]})
        file = file or await _made(ctx, tools, clips, row, lease)
    except StoreAway:
        raise
    except ReplayError as error:
        await _fail(ctx, row, lease, error)
        return
    await quota.settle(ctx.store, row["caller"], row["_id"], file["size_bytes"])
    ready = {"status": CaptureStatus.READY, "progress": 1.0, "size_bytes": file["size_bytes"]}
    await lease.end(ready)
    log.info("rendition_ready", bytes=file["size_bytes"])


async def _clips(ctx: Context, row: RenditionRow) -> list[Clip]:
    """The clip, and those beside it; none if one of them is deleted."""
    clips: list[Clip] = []
    for clip_id in (row["clip_id"], *row["beside"]):
        clip = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
        if clip is None or not clip_access.is_shown(clip):
            return []
        try:
            clips.append(await library.with_file(ctx, clip))
        except NotFound:
            return []
    return clips


async def _fail(ctx: Context, row: RenditionRow, lease: _Lease, error: ReplayError) -> None:
    reason = {"status": CaptureStatus.FAILED, "reason": error.slug, "detail": error.detail}
    await lease.change(reason)
    metrics.ERRORS.labels(ErrorKind.of_capture(error.slug)).inc()
    log.warning("rendition_failed", reason=error.slug, detail=error.detail)
    await _give_back(ctx, row, lease)


async def _give_back(ctx: Context, row: RenditionRow, lease: _Lease) -> None:
    """Frees what one that has failed holds; then nothing is left to do."""
    path = row["storage_path"]
    await asyncio.to_thread(clip_files.discard_parts, ctx.clips.parts_root, path)
    await quota.give_back(ctx.store, row["caller"], row["_id"])
    await lease.end()


async def _made(
    ctx: Context, tools: CaptureTools, clips: Sequence[Clip], row: RenditionRow, lease: _Lease
) -> FileRow:
    """The file's row, once the file has its name."""
    root, path = ctx.clips.parts_root, row["storage_path"]
    await store_outage.require_root(ctx)
    part = await asyncio.to_thread(clip_files.part_path, root, path, row["attempts"])
    await lease.change({"status": CaptureStatus.RUNNING})
    try:
        await _encoded(ctx, tools, clips, row, lease, part)
        await asyncio.to_thread(clip_files.sync, part)
        size_bytes = part.stat().st_size
        # As a trim it is made only where there is room for what it is more than was reckoned.
        await quota.hold_more(ctx.store, ctx.settings, row["caller"], row["_id"], size_bytes)
        checksum = await asyncio.to_thread(clip_files.sha256, part)
        await lease.keep()
        await lease.hold(ctx.clips.publish(path, part))
    finally:
        part.unlink(missing_ok=True)
    await asyncio.to_thread(clip_files.discard_parts, root, path)
    await lease.keep()
    file = _file(clips[0], row, size_bytes, checksum)
    await ctx.store.create(file)
    return row_of(file)


async def _encoded(
    ctx: Context,
    tools: CaptureTools,
    clips: Sequence[Clip],
    row: RenditionRow,
    lease: _Lease,
    part: Path,
) -> None:
    shown = [clip.row for clip in clips]
    media_of = shown[0]["buffer_id"] or shown[0]["_id"]
    slots = CallersSlots(tools.slots, row["caller"], media_of)

    async def encode(effort: Effort) -> None:
        fraction = Fraction()
        # Fetched in its slot, and again in a second one: only so many lie on this disk.
        async with AsyncExitStack() as held:
            sources: list[Path] = []
            for place, clip in enumerate(clips):
                excerpt = clip_source.excerpt(ctx, clip.file, part, f"source{place}")
                source = await held.enter_async_context(excerpt)
                await lease.hold(rendition_media.fetch(source, clip.row, row))
                sources.append(source.path)
            encoding = rendition_encoding.encode(row, shown, sources, part, effort, fraction.set)
            await watched(lease, encoding, fraction)

    await slots.encode(rendition_encoding.pixels(row, shown), encode)
    if not KINDS[row["format"]].is_film:
        await asyncio.to_thread(rendition_encoding.check_picture, row, part)
        return
    expected = rendition_encoding.expected(row, shown)
    await tools.verifier.verify(part, expected, caller=row["caller"], source=media_of)


def _file(clip: Clip, row: RenditionRow, size_bytes: int, checksum: str) -> File:
    kind = KINDS[row["format"]]
    start = play_time.begin(clip.row)
    return File(
        id=row["_id"],
        filename=clip_report.filename(clip.row["title"], clip.row["room"], start, kind.suffix),
        mime=kind.media_type,
        file_type=kind.file_type,
        size_bytes=size_bytes,
        checksum=f"sha256:{checksum}",
        uploaded_by=row["caller"],
        storage_path=row["storage_path"],
        resource_id=row["clip_id"],
        created_at=datetime.now(UTC),
    )
