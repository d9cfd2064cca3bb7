"""Whoever works on a clip is killed at each step in turn; whoever comes next sets it right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.access import quota
from app.captures import acceptance, endings, execution
from app.captures.requests import CaptureRequest
from app.clips import clip_expiry, library
from app.context import Context
from app.errors import Conflict
from app.models.schema import Capture, File, Pin, ReplayClip
from tests.integration.captures.checking import (
    accepted,
    captured,
    check_whole,
    done,
    files,
    go_on,
    leases_end,
    nothing_is_left,
    work_on,
)
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.captures.mortal import Mortal

MOST_STEPS = 80
EVERY = pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.heavy)])
"""How many steps further each kill is."""


@pytest.mark.edge("cleanup, the share's end, a killed worker during a capture")
async def test_a_worker_killed_at_any_step_leaves_one_clip_in_the_end(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    [share] = await ended_share()
    for step in range(MOST_STEPS):
        row = await accepted(ctx, ADA, last=7)
        killed = await worker.act("capture", row["_id"], die_at=step)
        made = await go_on(ctx, row["_id"])
        assert made.capture["status"] == "ready", (step, made.capture["detail"])
        assert made.file is not None, step
        assert made.file["checksum"] is not None, step
        assert len(files(ctx)) == 1, (step, files(ctx))
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert (held.used_bytes, held.reserved_bytes) == (made.file["size_bytes"], 0), step
        assert await ctx.store.rows(Pin).count_documents({}) == 0, step
        if not killed:
            break
        await _forget_clips(ctx)
    assert not killed
    assert step > 15
    check_whole(made, share)


@EVERY
async def test_an_acceptance_killed_at_any_step_becomes_a_clip_or_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    await ended_share()
    asked = {"room": "room", "last": 5}
    for step in range(0, MOST_STEPS, every):
        killed = await worker.act("accept", "ada", asked, f"key-{step}", die_at=step)
        await leases_end(ctx)
        await execution.requeue_expired(ctx)
        rows = await ctx.store.rows(Capture).find({}).to_list(None)
        for row in rows:
            await work_on(ctx, row["_id"])
        clips = await ctx.store.rows(ReplayClip).count_documents({})
        if clips:
            await _forget_clips(ctx)
        await ctx.store.rows(Capture).delete_many({"status": "ready"})
        assert await ctx.store.rows(Capture).count_documents({}) == 0, step
        await nothing_is_left(ctx, cut_off=True)
        # and with the same key it can be asked for again
        again = await acceptance.accept(
            ctx, ADA, CaptureRequest.model_validate(asked), f"key-{step}"
        )
        await work_on(ctx, again["_id"])
        assert (await done(ctx, again["_id"])).capture["status"] == "ready", step
        await _forget_clips(ctx)
        await ctx.store.rows(Capture).delete_many({})
        if not killed:
            break
    assert not killed
    assert step > 8


@EVERY
async def test_a_cancellation_killed_at_any_step_leaves_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    await ended_share()
    for step in range(0, MOST_STEPS, every):
        row = await accepted(ctx, ADA, last=5)
        await worker.act("capture", row["_id"], die_at=6)  # in the middle of the work
        killed = await worker.act("cancel", "ada", row["_id"], die_at=step)
        if (await done(ctx, row["_id"])).capture["status"] != "cancelled":
            await worker.act("cancel", "ada", row["_id"])
        assert (await go_on(ctx, row["_id"])).capture["status"] == "cancelled", step
        await nothing_is_left(ctx)
        if not killed:
            break
    assert not killed


async def test_a_capture_whose_worker_died_anywhere_is_cancelled_or_becomes_a_clip(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    """Never both: whoever is told that it is cancelled sees no clip of it. It can be until the row
    says that the file has its name, and from then on no more."""
    await ended_share()
    finished: list[bool] = []
    for step in range(9, MOST_STEPS):
        row = await accepted(ctx, ADA, last=5)
        assert await worker.act("capture", row["_id"], die_at=step)
        found = (await done(ctx, row["_id"])).capture
        cancelled = True
        try:
            await endings.cancel(ctx, ADA, row["_id"])
        except Conflict:
            cancelled = False
        assert cancelled is not found["named"], step
        made = await go_on(ctx, row["_id"])
        assert made.capture["status"] == ("cancelled" if cancelled else "ready"), step
        if found["result"] is not None:
            finished.append(cancelled)
        if not cancelled:
            assert made.clip is not None, step
            await _forget_clips(ctx)
        await nothing_is_left(ctx)
        if finished[-2:] == [False, False]:
            break
    assert finished[:2] == [True, True], "before its rename, and after"


@EVERY
async def test_deleting_and_restoring_killed_at_any_step_charge_once_or_not_at_all(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    assert made.file is not None
    clip_id, size = made.capture["clip_id"], made.file["size_bytes"]
    for step in range(0, MOST_STEPS, every):
        killed = await worker.act("delete", "ada", clip_id, die_at=step)
        row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
        assert row is not None
        if row["deleted_at"] is None:
            await worker.act("delete", "ada", clip_id)
        also = await worker.act("restore", "ada", clip_id, die_at=step)
        await library.restore(ctx, ADA, clip_id)
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert (held.used_bytes, held.reserved_bytes) == (size, 0), step
        assert (await library.find(ctx, ADA, clip_id)).row["ready"], step
        if not killed and not also:
            break
    assert not killed
    assert not also


@EVERY
async def test_a_sweep_killed_at_any_step_is_gone_on_with(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    await ended_share()
    for step in range(0, MOST_STEPS, every):
        made = await captured(ctx, ADA, last=5)
        await library.delete(ctx, ADA, made.capture["clip_id"])
        await _time_is_over(ctx)
        killed = await worker.act("sweep", die_at=step)
        await clip_expiry.sweep_clips(ctx)
        await nothing_is_left(ctx)
        if not killed:
            break
    assert not killed


@pytest.mark.edge("disk full while writing")
async def test_a_full_disk_fails_the_capture_at_any_byte_and_leaves_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    await ended_share()
    first = await captured(ctx, ADA, last=10)
    assert first.file is not None
    size = first.file["size_bytes"]
    for limit in (0, 1, 1000, size // 50, size // 3, size - 1):
        row = await accepted(ctx, ADA, last=10)
        await worker.act("capture", row["_id"], size_limit=limit)
        made = await done(ctx, row["_id"])
        assert (made.capture["status"], made.capture["reason"]) == ("failed", "storage-full")
        assert made.clip is None
        assert len(files(ctx)) == 1
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert (held.used_bytes, held.reserved_bytes) == (size, 0)
    row = await accepted(ctx, ADA, last=10)
    await worker.act("capture", row["_id"], size_limit=size)
    assert (await done(ctx, row["_id"])).capture["status"] == "ready"


async def _time_is_over(ctx: Context) -> None:
    """What a minute does to deleted clips."""
    await ctx.store.rows(ReplayClip).update_many(
        {"deleted_at": {"$ne": None}},
        {"$set": {"deleted_at": datetime.now(UTC) - timedelta(minutes=2)}},
    )


async def _forget_clips(ctx: Context) -> None:
    for row in await ctx.store.rows(ReplayClip).find({"deleted_at": None}).to_list(None):
        await library.delete(ctx, ADA, row["_id"])
    await _time_is_over(ctx)
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(File).count_documents({}) == 0
