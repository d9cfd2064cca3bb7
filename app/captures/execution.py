"""Making captures: wait for the media, plan, copy, verify, name.

Interrupted at any point, by a kill too, another worker goes on with the row once its lease is over:
before the row has a `result` from the beginning, in a part file of its own; afterwards from there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from app.captures import (
    acceptance,
    capture_leases,
    endings,
    media_arrival,
    production,
    store_outage,
)
from app.captures.capture_leases import Lease
from app.captures.capture_tools import CaptureTools
from app.captures.failures import GaveUp
from app.captures.progress import Report
from app.captures.row_leases import Lost
from app.context import Context
from app.errors import ReplayError, StoreAway
from app.models import CaptureRow, CaptureStage, CaptureStatus
from app.models.instants import EPOCH
from app.models.schema import Capture
from app.store import before
from app.tracing import trace
from app.work import errands, rounds
from app.work.jobs import job, seconds

ATTEMPTS = 5
BACKOFF_SECONDS = 2.0
POLL_SECONDS = 0.2
THOROUGH_SECONDS = 2.0

log = structlog.get_logger()


@job(errands.CAPTURE, timeout=seconds(15))
async def begin(
    ctx: Context, tools: CaptureTools, running: asyncio.TaskGroup, capture_id: str
) -> None:
    """Has a capture made among those that `running` holds.

    Its row's lease tells who works on it, and for how long. To the queue it is done: that would
    leave every job of a killed worker alone for as long as the longest may take.
    """
    tools.verifier.prepare()  # if it can't start, the clip says
    running.create_task(run(ctx, tools, capture_id))


async def run(ctx: Context, tools: CaptureTools, capture_id: str) -> None:
    """Brings a capture as far as it can be brought. Raises nothing but CancelledError.

    Cancelled, it hands the rest back for another worker. `tools`: those of this process.
    """
    with (
        structlog.contextvars.bound_contextvars(capture=capture_id),
        trace.step("capture", {"replay.capture.id": capture_id}),
        rounds.item(capture=capture_id),  # the others' task group is not to end with it
    ):
        try:
            taken = await capture_leases.take(ctx.store, capture_id)
            if taken is not None:
                capture, lease = taken
                async with lease.renewed():
                    await _run(ctx, tools, lease, capture)
        except (PyMongoError, *rounds.STORES_AWAY) as error:
            # The lease ends by itself, and then the row is asked for again.
            trace.raised(error)
            log.warning("capture_interrupted", error=repr(error))


@job("requeue_captures", every=seconds(5), timeout=seconds(30))
async def requeue_expired(ctx: Context) -> None:
    """Asks again for every capture whose worker is gone, or whose job the queue has lost."""
    rows = ctx.store.rows(Capture)
    now = datetime.now(UTC)
    expired = rows.find({"lease_until": before(now)})
    for row in await expired.to_list(None):
        with rounds.item(capture=row["_id"]):
            claimed = await rows.update_one(
                {"_id": row["_id"], "lease_until": row["lease_until"]},
                {"$set": capture_leases.free(), "$inc": {"generation": 1}},
            )
            if claimed.modified_count:
                log.info("capture_queued_again", capture=row["_id"], status=row["status"])
                await ctx.queue.ask(errands.CAPTURE, row["_id"], turn=row["generation"] + 1)


async def _run(ctx: Context, tools: CaptureTools, lease: Lease, capture: CaptureRow) -> None:
    told = {"replay.buffer.id": capture["buffer_id"], "replay.clip.id": capture["clip_id"]}
    trace.tell({**told, "replay.capture.attempt": capture["attempts"]})
    try:
        await _go_on(ctx, tools, lease, capture)
    except Lost:
        log.info("capture_lost")
    except asyncio.CancelledError:
        with suppress(PyMongoError):  # then the lease ends by itself
            await asyncio.shield(lease.hand_back(0, attempted=False))
        raise
    except PyMongoError:
        raise
    except StoreAway as error:
        trace.raised(error)
        await _wait_for_store(lease, error)
    except Exception as error:  # the next attempt may get further, and their number ends
        trace.raised(error)
        log.exception("capture_attempt_failed", attempt=capture["attempts"])
        await lease.hand_back(BACKOFF_SECONDS * capture["attempts"], attempted=True)


async def _wait_for_store(lease: Lease, error: StoreAway) -> None:
    """Has the rest done when the place for clips may be there again: it is no attempt."""
    seconds_off = store_outage.noted(error)
    with suppress(Lost):  # it is over already, and only something of it is left to do
        await lease.move(CaptureStatus.RUNNING, {"stage": CaptureStage.STORE_AWAY})
    await lease.hand_back(seconds_off, attempted=False)


async def _go_on(ctx: Context, tools: CaptureTools, lease: Lease, capture: CaptureRow) -> None:
    result = capture["result"]
    match capture["status"]:
        case CaptureStatus.ACCEPTING:
            await acceptance.give_up(ctx, capture)
        case CaptureStatus.FAILED | CaptureStatus.CANCELLED:
            await endings.clean(ctx, lease, capture)
        case CaptureStatus.READY if result is not None:
            await store_outage.require_root(ctx)
            await endings.complete(ctx, lease, capture, result)
        case _:
            await _bring_to_its_end(ctx, tools, lease, capture)


async def _bring_to_its_end(
    ctx: Context, tools: CaptureTools, lease: Lease, capture: CaptureRow
) -> None:
    await acceptance.note(ctx, capture)
    try:
        if capture["attempts"] > ATTEMPTS:
            raise GaveUp(f"{ATTEMPTS} attempts to make the clip did not come to an end")
        if (result := capture["result"]) is None:
            with trace.step("capture.wait"):
                capture = await _waited(ctx, lease, capture)
            await store_outage.require_root(ctx)
            with trace.step("capture.make"):
                result = await production.make(ctx, tools, capture, Report(lease))
            capture = {**capture, "result": result}
        await store_outage.require_root(ctx)
        with trace.step("capture.finish", {"replay.clip.bytes": result["size_bytes"]}):
            await endings.finish(ctx, lease, capture, result)
    except StoreAway:
        raise
    except ReplayError as error:
        trace.raised(error)
        await endings.fail(ctx, lease, capture, error)
    else:
        with trace.step("capture.complete"):
            await endings.complete(ctx, lease, capture, result)


async def _waited(ctx: Context, lease: Lease, capture: CaptureRow) -> CaptureRow:
    """The row, once the window's media is there, or there is no use in waiting on."""
    thorough_at = EPOCH
    is_waiting = capture["status"] == CaptureStatus.WAITING
    while (now := datetime.now(UTC)) < capture["wait_until"]:
        covered = await media_arrival.is_covered(ctx, capture)
        if covered or now >= thorough_at:
            capture = await media_arrival.as_it_is(ctx, capture)
            if await media_arrival.is_complete(ctx, capture, now):
                break
            thorough_at = now + timedelta(seconds=THOROUGH_SECONDS)
        if not is_waiting:
            await lease.move(CaptureStatus.WAITING, {"stage": CaptureStage.WAITING})
            is_waiting = True
        if lease.lost.is_set():
            raise lease.lose()
        due_seconds = (media_arrival.ends_at(capture) - now).total_seconds()
        await asyncio.sleep(min(max(POLL_SECONDS, due_seconds), 1.0))
    return await media_arrival.as_it_is(ctx, capture)
