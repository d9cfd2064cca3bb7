"""How captures end: ready with a clip, failed or cancelled without a trace.

Every step may be done again: a worker that is interrupted in one leaves it to the next. Until the
row says that the file has its name, somebody's word ends the capture, however long a bucket that is
away keeps it from that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypedDict

import structlog

from app import metrics
from app.access import quota
from app.access.tokens import Caller
from app.buffer import pins
from app.captures import (
    capture_access,
    capture_events,
    capture_leases,
    lifecycle,
    made_rows,
    row_leases,
    trim_media,
)
from app.captures.capture_leases import Lease
from app.captures.failures import MediaDeleted
from app.clips import clean_copies, replacing, trims
from app.clips.clip_location import parts_path, storage_path
from app.context import Context
from app.errors import Conflict, ReplayError
from app.models import CaptureResult, CaptureRow, CaptureStage, CaptureStatus, Row
from app.models.metric_words import ErrorKind
from app.models.schema import Capture, File, ReplayClip
from app.storage import clip_files
from app.storage.confined import member
from app.work import rounds

LAST_LOOK_SECONDS = 20.0
"""After a cancellation somebody looks for what a worker wrote that had not noticed it yet."""

log = structlog.get_logger()


class _Reason(TypedDict):
    reason: str
    detail: str


async def finish(ctx: Context, lease: Lease, capture: CaptureRow, result: CaptureResult) -> None:
    """Makes the clip of a verified file: its name, its charge, its rows, `ready`.

    Raises QuotaExceeded for a trim that is larger than was reckoned, where there is no room for it:
    nothing is lost by it, as the clip that it is of is there. Raises MediaDeleted for one whose
    clip was deleted for good before its own row was there: from then on it goes as a clip does.
    """
    if (trim := capture["trim"]) is not None:
        await trim_media.source(ctx, trim)
        owner, size_bytes = capture["caller"], result["size_bytes"]
        await quota.hold_more(ctx.store, ctx.settings, owner, capture["clip_id"], size_bytes)
    root, path = ctx.clips.parts_root, storage_path(ctx.clips, capture)
    sha256 = None
    if not capture["named"]:
        part = member(clip_files.locate(root, parts_path(capture)).parent, result["part"])
        # Where clips lie elsewhere this takes as long as a film is sent.
        sha256 = await lease.hold(ctx.clips.publish(path, part))
        await lease.change({"named": True})
    await asyncio.to_thread(clip_files.discard_parts, root, parts_path(capture))
    await asyncio.gather(
        quota.settle(ctx.store, capture["caller"], capture["clip_id"], result["size_bytes"]),
        ctx.store.create(made_rows.file(capture, result, path, sha256)),
        pins.release(ctx.store, capture["_id"]),
    )
    whole = await trim_media.whole(ctx, capture)
    await ctx.store.create(made_rows.clip(ctx, capture, result, whole))
    # Who closes or deletes what it is a part of finds it from now on; who did before, may not have.
    whole = await trim_media.whole(ctx, capture)
    if whole is not None and whole["closed_by"] is not None:
        await trims.close(ctx, capture["clip_id"], whole, whole["closed_by"])
    now = datetime.now(UTC)
    await lease.move(CaptureStatus.READY, _over(now) | {"progress": 1.0})
    metrics.CAPTURES.labels(CaptureStatus.READY).inc()
    metrics.CAPTURE_SECONDS.observe((now - capture["accepted_at"]).total_seconds())
    told = {"capture": capture["_id"], "clip": capture["clip_id"]}
    log.info("capture_ready", **told, bytes=result["size_bytes"])
    await capture_events.ready(ctx, capture, result)


async def complete(ctx: Context, lease: Lease, capture: CaptureRow, result: CaptureResult) -> None:
    """Adds the checksum to a ready clip, gives it its place; then nothing is left to do."""
    if (trim := capture["trim"]) is not None and capture["in_place"]:
        old_id, new_id = trim["clip_id"], capture["clip_id"]
        # Who goes on after a kill takes back nothing that its owner has done since.
        await replacing.replace(ctx, capture["caller"], old_id, new_id, once=True)
        await lease.change({"in_place": False})
    await capture_events.ready(ctx, capture, result)
    unknown: Row = {"_id": result["file_id"], "checksum": None}
    if await ctx.store.rows(File).find_one(unknown, {"_id": 1}):
        try:
            sha256 = await lease.hold(ctx.clips.sha256(storage_path(ctx.clips, capture)))
        except FileNotFoundError:
            log.info("clip_gone_before_checksum", clip=capture["clip_id"])  # deleted meanwhile
        else:
            checksum = {"checksum": made_rows.checksum(sha256)}
            await ctx.store.rows(File).update_one(unknown, {"$set": checksum})
    await lease.end()


async def fail(ctx: Context, lease: Lease, capture: CaptureRow, error: ReplayError) -> None:
    """Ends a capture that can't be made, with the reason."""
    reason: _Reason = {"reason": error.slug, "detail": error.detail}
    moved = await lease.move(CaptureStatus.FAILED, {**_over(datetime.now(UTC)), **reason})
    metrics.CAPTURES.labels(CaptureStatus.FAILED).inc()
    metrics.ERRORS.labels(ErrorKind.of_capture(error.slug)).inc()
    log.warning("capture_failed", capture=capture["_id"], **reason)
    known = await ctx.store.rows(Capture).find_one({"_id": capture["_id"]}, {"named": 1})
    named = known is not None and known["named"]
    await clean(ctx, lease, {**capture, **reason, "status": moved, "named": named})


async def clean(ctx: Context, lease: Lease, capture: CaptureRow) -> None:
    """Removes what a failed or cancelled capture has left; then nothing is left to do."""
    await _give_back(ctx, capture)
    if capture["status"] == CaptureStatus.FAILED:
        await capture_events.failed(ctx, capture)
    if capture["result"] is not None:
        path = storage_path(ctx.clips, capture)
        await clean_copies.remove(ctx, path)
        await ctx.clips.abort_uploads(path)
        await ctx.clips.remove([path])
    await lease.end()


async def cancel(ctx: Context, caller: Caller, capture_id: str) -> CaptureRow:
    """Ends a capture that is not finished. Raises NotFound, Conflict if it is."""
    row = await capture_access.find(ctx, caller, capture_id)
    if not await _cancel(ctx, row["_id"]):
        row = await capture_access.find(ctx, caller, capture_id)
        is_final = row["status"] not in CaptureStatus.unfinished()
        state = row["status"] if is_final else "just being finished"
        raise Conflict(f"the capture is {state}: only one that is not finished can be cancelled")
    return await capture_access.find(ctx, caller, capture_id)


async def cancel_all_of(ctx: Context, buffer_id: str, accepted_by: datetime) -> bool:
    """Ends every capture of a buffer that is not finished and was accepted up to an instant.

    False if one of them could not be ended.
    """
    status = {"$in": CaptureStatus.unfinished()}
    which = {
        "trim": None,  # clips made before stay, and what is made of them
        "accepted_at": {"$lte": accepted_by},
    }
    return await _end_each(ctx, buffer_id, status, which, lambda row: _cancel(ctx, row["_id"]))


async def fail_running_of(ctx: Context, buffer_id: str, start: datetime, end: datetime) -> bool:
    """Ends every capture that may have read media of [start, end) before it was to go.

    Those that have not begun to read do without, and clips that are made stay. False if one of
    them could not be ended.
    """
    reading = {
        "trim": None,
        "named": False,
        "window_start": {"$lt": end},
        "window_end": {"$gt": start},
    }
    running = {"$in": [CaptureStatus.RUNNING]}
    return await _end_each(ctx, buffer_id, running, reading, partial(_fail_running, ctx))


async def _end_each(
    ctx: Context,
    buffer_id: str,
    status: Row,
    which: Row,
    end: Callable[[CaptureRow], Awaitable[object]],
) -> bool:
    """Ends captures of a buffer, each on its own. False if one of them could not be ended."""
    ended_all = True
    of_buffer = {"buffer_id": buffer_id, "status": status}
    for row in await ctx.store.matching(Capture, of_buffer, which):
        with rounds.item(capture=row["_id"]) as attempt:
            await end(row)
        ended_all = ended_all and attempt.error is None
    return ended_all


async def _fail_running(ctx: Context, row: CaptureRow) -> None:
    error = MediaDeleted("a part of it was deleted while it was made: capture what is left")
    reason: _Reason = {"reason": error.slug, "detail": error.detail}
    fields = {**_taken_away(), **reason}
    # Looked for as running: by the time that another begins, the rows are not there for it. What
    # was read before may have become a file since, whoever goes on with that.
    read_before = [
        {"lease": row["lease"], "attempts": row["attempts"]},
        {"result": {"$ne": None}},
    ]
    where: Row = {"named": False, "$or": read_before}
    moved = await lifecycle.move(ctx.store, row["_id"], CaptureStatus.FAILED, fields, **where)
    if moved is None:
        return
    metrics.CAPTURES.labels(CaptureStatus.FAILED).inc()
    log.warning("capture_failed", capture=row["_id"], **reason)
    failed: CaptureRow = {**row, **reason, "status": moved}
    await _give_back(ctx, failed)
    await capture_events.failed(ctx, failed)


def _taken_away() -> Row:
    """The fields of a capture that ends by the word of others than its worker."""
    return _over(datetime.now(UTC)) | {
        "lease": capture_leases.CANCELLATION,
        "lease_until": row_leases.until(LAST_LOOK_SECONDS),
    }


async def _cancel(ctx: Context, capture_id: str) -> bool:
    row = await ctx.store.rows(Capture).find_one({"_id": capture_id})
    if row is None:
        return False
    fields = _taken_away()
    # With its name it is a clip, or about to be one; then that can be deleted.
    cancelled = CaptureStatus.CANCELLED
    moved = await lifecycle.move(ctx.store, capture_id, cancelled, fields, named=False)
    if moved is None:
        return False
    metrics.CAPTURES.labels(CaptureStatus.CANCELLED).inc()
    log.info("capture_cancelled", capture=capture_id)
    await _give_back(ctx, row | {"named": False})  # so it was at that moment
    return True


def _over(now: datetime) -> Row:
    """What every ending sets."""
    return {"stage": CaptureStage.NONE, "finished_at": now}


async def _give_back(ctx: Context, capture: CaptureRow) -> None:
    """Frees what a capture has held, at once. Its file, if there is one, is left to `clean`: the
    place for clips may be away."""
    whose = ctx.store, capture["caller"], capture["clip_id"]
    if capture["result"] is not None:
        # before its charge: a restore charges the clip, and then finds its row gone
        await ctx.store.rows(ReplayClip).delete_one({"_id": capture["clip_id"]})
    if capture["reserved_bytes"]:  # it was promised: nobody reserves for it any more
        await quota.give_back(*whose)
    else:
        await quota.bar(*whose)
    await pins.release(ctx.store, capture["_id"])
    root = ctx.clips.parts_root
    await asyncio.to_thread(clip_files.discard_parts, root, parts_path(capture))
    if capture["result"] is not None:
        await ctx.store.rows(File).delete_one({"_id": capture["result"]["file_id"]})
