"""How captures end: ready with a clip, failed or cancelled without a trace.

Every step may be done again: whoever is interrupted in one leaves it to the next.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from app import metrics
from app.access import quota
from app.access.tokens import Caller
from app.buffer import paths, pins
from app.captures import acceptance, capture_events, capture_leases
from app.captures.capture_leases import Lease
from app.context import Context
from app.errors import Conflict, ReplayError
from app.models import CaptureStatus, Row
from app.models.schema import Capture, File, ReplayClip
from app.storage import local

LAST_LOOK_SECONDS = 20.0
"""After a cancellation somebody looks for what a worker wrote that had not noticed it yet."""

# One at a time, and behind everything else that wants the processor: captures are being made.
_hashing = ThreadPoolExecutor(
    1, "hashing", initializer=partial(os.setpriority, os.PRIO_PROCESS, 0, 19)
)

log = structlog.get_logger()


def storage_path(row: Row) -> str:
    """Where the clip of a capture lies; the same for whoever asks."""
    return str(paths.clip_path(row["caller"], row["accepted_at"], row["clip_id"]))


async def finish(ctx: Context, lease: Lease) -> None:
    """Makes the clip of a verified file: its name, its charge, its rows, `ready`."""
    row, result = lease.row, lease.row["result"]
    root, path = ctx.settings.media_root, storage_path(row)
    part = local.locate(root, path).with_name(result["part"])
    await asyncio.to_thread(local.publish, root, path, part)
    await asyncio.to_thread(local.discard_parts, root, path)
    await asyncio.gather(
        quota.settle(ctx.store, row["caller"], row["clip_id"], result["size_bytes"]),
        ctx.store.create(_file(row, path)),
        pins.release(ctx.store, row["_id"]),
    )
    await ctx.store.create(_clip(ctx, row))
    now = datetime.now(UTC)
    await lease.change(
        {"status": CaptureStatus.READY, "stage": "", "progress": 1.0, "finished_at": now}
    )
    metrics.CAPTURES.labels(CaptureStatus.READY).inc()
    metrics.CAPTURE_SECONDS.observe((now - row["accepted_at"]).total_seconds())
    log.info("capture_ready", capture=row["_id"], clip=row["clip_id"], bytes=result["size_bytes"])
    await capture_events.ready(ctx, row)


async def complete(ctx: Context, lease: Lease) -> None:
    """Adds the checksum to a ready clip; then nothing is left to do."""
    await capture_events.ready(ctx, lease.row)
    path = local.locate(ctx.settings.media_root, storage_path(lease.row))
    try:
        checksum = await asyncio.get_running_loop().run_in_executor(_hashing, local.sha256, path)
    except FileNotFoundError:
        log.info("clip_gone_before_checksum", clip=lease.row["clip_id"])  # deleted meanwhile
    else:
        await ctx.store.rows(File).update_one(
            {"_id": lease.row["result"]["file_id"]}, {"$set": {"checksum": f"sha256:{checksum}"}}
        )
    await lease.change({"lease": None, "lease_until": None})


async def fail(ctx: Context, lease: Lease, error: ReplayError) -> None:
    """Ends a capture that can't be made, with the reason."""
    await lease.change(
        {
            "status": CaptureStatus.FAILED,
            "stage": "",
            "reason": error.slug,
            "detail": error.detail,
            "finished_at": datetime.now(UTC),
        }
    )
    metrics.CAPTURES.labels(CaptureStatus.FAILED).inc()
    metrics.ERRORS.labels(error.slug.replace("-", "_")).inc()
    log.warning("capture_failed", capture=lease.row["_id"], reason=error.slug, detail=error.detail)
    await clean(ctx, lease)


async def clean(ctx: Context, lease: Lease) -> None:
    """Removes what a failed or cancelled capture has left; then nothing is left to do."""
    await _give_back(ctx, lease.row)
    if lease.row["status"] == CaptureStatus.FAILED:
        await capture_events.failed(ctx, lease.row)
    await lease.change({"lease": None, "lease_until": None})


async def cancel(ctx: Context, caller: Caller, capture_id: str) -> Row:
    """Ends a capture that is not finished. Raises NotFound, Conflict if it is."""
    row = await acceptance.find(ctx, caller, capture_id)
    if not await _cancel(ctx, row["_id"]):
        row = await acceptance.find(ctx, caller, capture_id)
        state = row["status"] if CaptureStatus(row["status"]).is_final else "just being finished"
        raise Conflict(f"the capture is {state}: only one that is not finished can be cancelled")
    return await acceptance.find(ctx, caller, capture_id)


async def cancel_all_of(ctx: Context, buffer_id: str, accepted_by: datetime) -> None:
    """Ends every capture of a buffer that is not finished and was accepted up to an instant."""
    active = {
        "buffer_id": buffer_id,
        "status": {"$in": CaptureStatus.unfinished()},
        "accepted_at": {"$lte": accepted_by},
    }
    for row in await ctx.store.rows(Capture).find(active, {"_id": 1}).to_list(None):
        await _cancel(ctx, row["_id"])


async def _cancel(ctx: Context, capture_id: str) -> bool:
    # With a result the file may have its name already; then it is the clip that can be deleted.
    rows = ctx.store.rows(Capture)
    row = await rows.find_one({"_id": capture_id})
    if row is None:
        return False
    changed = await rows.update_one(
        {"_id": capture_id, "status": {"$in": CaptureStatus.unfinished()}, "result": None},
        {
            "$set": {
                "status": CaptureStatus.CANCELLED,
                "stage": "",
                "finished_at": datetime.now(UTC),
                "lease": "cancelled",  # nobody's: whoever works on it has lost it
                "lease_until": capture_leases.until(LAST_LOOK_SECONDS),
            }
        },
    )
    if not changed.matched_count:
        return False
    row["result"] = None  # so it was at that moment
    metrics.CAPTURES.labels(CaptureStatus.CANCELLED).inc()
    log.info("capture_cancelled", capture=row["_id"])
    await _give_back(ctx, row)
    return True


async def _give_back(ctx: Context, row: Row) -> None:
    await quota.give_back(ctx.store, row["caller"], row["clip_id"])
    await pins.release(ctx.store, row["_id"])
    root, path = ctx.settings.media_root, storage_path(row)
    await asyncio.to_thread(local.discard_parts, root, path)
    if row["result"] is not None:
        await ctx.store.rows(ReplayClip).delete_one({"_id": row["clip_id"]})
        await ctx.store.rows(File).delete_one({"_id": row["result"]["file_id"]})
        await asyncio.to_thread(local.remove, root, path)


def _file(row: Row, path: str) -> File:
    result = row["result"]
    return File(
        id=result["file_id"],
        filename=result["filename"],
        size_bytes=result["size_bytes"],
        uploaded_by=row["caller"],
        storage_path=path,
        resource_id=row["clip_id"],
        created_at=result["created_at"],
    )


def _clip(ctx: Context, row: Row) -> ReplayClip:
    result = row["result"]
    days = ctx.settings.clip_days
    return ReplayClip(
        id=row["clip_id"],
        capture_id=row["_id"],
        owner=row["caller"],
        shared_by=row["identity"],
        buffer_id=row["buffer_id"],
        room=row["room"],
        room_sid=row["room_sid"],
        community=row["community"],
        title=row["title"],
        ready=True,
        requested_start=row["requested_start"],
        requested_end=row["requested_end"],
        cut=row["cut"],
        created_at=result["created_at"],
        expires_at=result["created_at"] + timedelta(days=days) if days else None,
        file_id=result["file_id"],
        **result["told"],
    )
