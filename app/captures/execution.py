"""Making captures: wait for the media, plan, copy, verify, name.

Interrupted at any point, by a kill too, another worker goes on with the row within 30 s: before
the row has a `result` from the beginning, in a part file of its own; afterwards from there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

import structlog
from pymongo.errors import PyMongoError

from app.captures import acceptance, capture_leases, endings, media_arrival, production
from app.captures.capture_leases import Lease, Lost
from app.captures.failures import GaveUp
from app.captures.production import Slots
from app.context import Context
from app.errors import ReplayError
from app.models import CaptureStatus
from app.models.schema import Capture
from app.store import Store, before
from app.work import errands
from app.work.jobs import job, seconds

ATTEMPTS = 5
BACKOFF_SECONDS = 2.0
POLL_SECONDS = 0.2
THOROUGH_SECONDS = 2.0

log = structlog.get_logger()

_slots: WeakKeyDictionary[Store, Slots] = WeakKeyDictionary()


@job(errands.CAPTURE, timeout=seconds(15))
async def begin(ctx: Context, running: asyncio.TaskGroup, capture_id: str) -> None:
    """Has a capture made among those that `running` holds.

    Its row's lease tells who works on it, and for how long. To the queue it is done: that would
    leave every job of a killed worker alone for as long as the longest may take.
    """
    running.create_task(run(ctx, capture_id))


async def run(ctx: Context, capture_id: str) -> None:
    """Brings a capture as far as it can be brought. Raises nothing but CancelledError.

    Cancelled, it hands the rest back for another worker.
    """
    with structlog.contextvars.bound_contextvars(capture=capture_id):
        try:
            row = await capture_leases.take(ctx.store, capture_id)
            if row is not None:
                async with capture_leases.held(ctx.store, row) as lease:
                    await _run(ctx, lease)
        except PyMongoError as error:
            # The lease ends by itself, and then the row is queued again.
            log.warning("capture_interrupted", error=repr(error))


@job("requeue_captures", every=seconds(5), timeout=seconds(30))
async def requeue_expired(ctx: Context) -> None:
    """Queues every capture again whose worker is gone, or whose job the queue has lost."""
    rows = ctx.store.rows(Capture)
    now = datetime.now(UTC)
    expired = rows.find({"lease_until": before(now)})
    for row in await expired.to_list(None):
        claimed = await rows.update_one(
            {"_id": row["_id"], "lease_until": row["lease_until"]},
            {
                "$set": {"lease_until": capture_leases.until(), "lease": None},
                "$inc": {"generation": 1},
            },
        )
        if claimed.modified_count:
            log.info("capture_queued_again", capture=row["_id"], status=row["status"])
            await ctx.queue.ask(errands.CAPTURE, row["_id"], turn=row["generation"] + 1)


async def _run(ctx: Context, lease: Lease) -> None:
    try:
        await _go_on(ctx, lease)
    except Lost:
        log.info("capture_lost")
    except asyncio.CancelledError:
        with suppress(PyMongoError):  # then the lease ends by itself
            await asyncio.shield(lease.hand_back(0, attempted=False))
        raise
    except PyMongoError:
        raise
    except Exception:  # whatever it was, the next attempt may get further, and their number ends
        log.exception("capture_attempt_failed", attempt=lease.row["attempts"])
        await lease.hand_back(BACKOFF_SECONDS * lease.row["attempts"], attempted=True)


async def _go_on(ctx: Context, lease: Lease) -> None:
    row = lease.row
    match row["status"]:
        case CaptureStatus.ACCEPTING:
            await acceptance.undo(ctx, row)
            return
        case CaptureStatus.FAILED | CaptureStatus.CANCELLED:
            await endings.clean(ctx, lease)
            return
        case CaptureStatus.READY:
            await endings.complete(ctx, lease)
            return
    try:
        if row["attempts"] > ATTEMPTS:
            raise GaveUp(f"{ATTEMPTS} attempts to make the clip did not come to an end")
        if row["result"] is None:
            await _wait(ctx, lease)
            await production.make(ctx, lease, _slots_of(ctx))
        await endings.finish(ctx, lease)
    except ReplayError as error:
        await endings.fail(ctx, lease, error)
        return
    await endings.complete(ctx, lease)


def _slots_of(ctx: Context) -> Slots:
    if ctx.store not in _slots:
        # An encoder takes every core there is, for minutes.
        _slots[ctx.store] = Slots(
            copying=asyncio.Semaphore(ctx.settings.captures_at_once),
            encoding=asyncio.Semaphore(1),
        )
    return _slots[ctx.store]


async def _wait(ctx: Context, lease: Lease) -> None:
    """Returns when the window's media is there, or when there is no use in waiting on."""
    thorough_at = datetime.min.replace(tzinfo=UTC)
    while (now := datetime.now(UTC)) < lease.row["wait_until"]:
        covered = await media_arrival.is_covered(ctx, lease.row)
        if covered or now >= thorough_at:
            if await media_arrival.is_complete(ctx, lease.row, now):
                return
            thorough_at = now + timedelta(seconds=THOROUGH_SECONDS)
        if lease.row["status"] != CaptureStatus.WAITING:
            await lease.change({"status": CaptureStatus.WAITING, "stage": "waiting for media"})
        if lease.lost.is_set():
            raise Lost(lease.row["_id"])
        due_seconds = (lease.row["window_end"] - now).total_seconds()
        await asyncio.sleep(min(max(POLL_SECONDS, due_seconds), 1.0))
