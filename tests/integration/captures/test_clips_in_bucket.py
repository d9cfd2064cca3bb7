"""Captures whose clips go into a bucket: whoever dies, and whatever the store does meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import quota
from app.captures import endings, execution, share_erasure
from app.clips import clip_expiry, clip_invariants, clip_source, library, quota_check
from app.context import Context
from app.models import CaptureRow
from app.models.schema import Buffer, Capture, File, OutgoingEvent, Pin, ReplayClip
from app.settings import Settings
from deploy.local.seaweed import Seaweed
from tests.integration.captures.checking import (
    Done,
    accepted,
    captured,
    check_whole,
    done,
    files,
    go_on,
    nothing_is_left,
    work_on,
)
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.conftest import MakeSettings
from tests.object_front import ObjectFront

MOST_STEPS = 80


@pytest.fixture
def settings(
    make_settings: MakeSettings, in_bucket: dict[str, str], front: ObjectFront
) -> Settings:
    """Of an installation whose clips are in a bucket behind the front."""
    return make_settings(**in_bucket | {"s3_endpoint": front.endpoint})


async def kept(ctx: Context) -> dict[str, int]:
    """Size by path of all clips in the bucket, and of parts on the disk."""
    return {
        each.storage_path: each.size_bytes
        async for batch in ctx.clips.listed("replays")
        for each in batch
    }


async def bytes_of(ctx: Context, made: Done) -> bytes:
    assert made.file is not None
    opened = await ctx.clips.open(made.file["storage_path"])
    return b"".join([block async for block in opened.read(0, opened.size_bytes)])


async def violations(ctx: Context) -> list[str]:
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    return [each.detail async for each in clip_invariants.violations(ctx, later)]


async def forget_clips(ctx: Context) -> None:
    for row in await ctx.store.rows(ReplayClip).find({"deleted_at": None}).to_list(None):
        await library.delete(ctx, ADA, row["_id"])
    await clip_expiry.sweep_clips(ctx, now=datetime.now(UTC) + timedelta(minutes=2))
    assert await ctx.store.rows(File).count_documents({}) == 0
    assert await kept(ctx) == {}


async def check_one(ctx: Context, made: Done, step: int) -> None:
    """One clip, its object, its charge, and nothing else."""
    assert made.capture["status"] == "ready", (step, made.capture["detail"])
    assert made.file is not None, step
    assert made.file["checksum"] == f"sha256:{await ctx.clips.sha256(made.file['storage_path'])}"
    assert await kept(ctx) == {made.file["storage_path"]: made.file["size_bytes"]}, step
    assert files(ctx) == [], step
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (made.file["size_bytes"], 0), step
    assert await ctx.store.rows(Pin).count_documents({}) == 0, step
    assert await violations(ctx) == [], step


async def test_a_clip_in_a_bucket_holds_what_was_shown(
    ctx: Context, ended_share: MakeShare, tmp_path: Any
) -> None:
    [share] = await ended_share()
    made = await captured(ctx, ADA, last=7)
    await check_one(ctx, made, 0)
    copy = tmp_path / "clip.mp4"
    copy.write_bytes(await bytes_of(ctx, made))
    check_whole(Done(made.capture, made.clip, made.file, copy), share)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.heavy)])
async def test_a_worker_killed_at_any_step_leaves_one_clip_in_the_bucket(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    """`every`: how many steps further each kill is. The first ten steps are a folder's, too."""
    await ended_share()
    for step in range(10, MOST_STEPS, every):
        row = await accepted(ctx, ADA, last=7)
        killed = await worker.act("capture", row["_id"], die_at=step)
        await check_one(ctx, await go_on(ctx, row["_id"]), step)
        await forget_clips(ctx)
        if not killed:
            break
    assert not killed
    assert step > 15


async def test_a_worker_killed_at_any_request_leaves_one_clip_in_the_bucket(
    ctx: Context, ended_share: MakeShare, worker: Mortal, front: ObjectFront
) -> None:
    """Before it, and while it is answered."""
    await ended_share()
    for passed_on in (False, True):
        for step in range(MOST_STEPS):
            row = await accepted(ctx, ADA, last=7)
            kill_at(front, worker, step, passed_on=passed_on)
            killed = await worker.act("capture", row["_id"])
            front.heal()
            await check_one(ctx, await go_on(ctx, row["_id"]), step)
            await forget_clips(ctx)
            if not killed:
                break
        assert not killed
        assert step >= 3


def kill_at(front: ObjectFront, worker: Mortal, step: int, *, passed_on: bool) -> None:
    """Kills who acts when so many requests were answered: at the next, or once the store has it."""
    left = step

    def count() -> None:
        nonlocal left
        if left == 0:
            os.kill(worker.pid, signal.SIGKILL)
        left -= 1

    if passed_on:
        front.after = count
    else:
        front.before = count


async def test_a_sweep_killed_at_any_request_is_gone_on_with(
    ctx: Context, ended_share: MakeShare, worker: Mortal, front: ObjectFront
) -> None:
    await ended_share()
    for step in range(MOST_STEPS):
        made = await captured(ctx, ADA, last=5)
        await library.delete(ctx, ADA, made.capture["clip_id"])
        await ctx.store.rows(ReplayClip).update_many(
            {}, {"$set": {"deleted_at": datetime.now(UTC) - timedelta(minutes=2)}}
        )
        kill_at(front, worker, step, passed_on=step % 2 == 1)
        killed = await worker.act("sweep")
        front.heal()
        await clip_expiry.sweep_clips(ctx)
        await nothing_is_left(ctx)
        assert await kept(ctx) == {}
        if not killed:
            break
    assert not killed
    assert step > 0


@pytest.mark.parametrize(
    ("status", "code", "slug"),
    [(503, "SlowDown", "clip_store_away"), (403, "AccessDenied", "clip_store_refuses")],
)
async def test_a_capture_waits_for_a_store_that_does_not_take_it(
    ctx: Context,
    ended_share: MakeShare,
    front: ObjectFront,
    capfd: pytest.CaptureFixture[str],
    status: int,
    code: str,
    slug: str,
) -> None:
    """However often it is tried: it is no attempt, and never lost. It says what it waits for."""
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    front.answer("^PUT ", status, code)
    await work_on(ctx, row["_id"])
    for _ in range(execution.ATTEMPTS + 2):
        waiting = await go_on(ctx, row["_id"])
        assert waiting.capture["status"] == "running"
        assert waiting.capture["stage"] == "waiting for storage"
        assert waiting.capture["attempts"] == 0
        until = waiting.capture["lease_until"]
        assert until is not None
        assert until > datetime.now(UTC)
        assert waiting.clip is None
        assert len(files(ctx)) == 1
    front.heal()
    await check_one(ctx, await go_on(ctx, row["_id"]), 0)
    assert slug in capfd.readouterr().out


async def held_up(ctx: Context, front: ObjectFront, *, sent: bool, **asked: Any) -> CaptureRow:
    """A capture whose file is made, and that its bucket does not take; `sent`: it has the bytes."""
    row = await accepted(ctx, ADA, **asked)
    # What is read back after a put has no answer: nobody knows whether it is there.
    front.answer("^HEAD " if sent else "^PUT ", 503, "SlowDown")
    await work_on(ctx, row["_id"])
    waiting = await done(ctx, row["_id"])
    assert (waiting.capture["status"], waiting.capture["stage"]) == (
        "running",
        "waiting for storage",
    )
    assert waiting.capture["result"] is not None
    return waiting.capture


async def never_a_clip(ctx: Context, front: ObjectFront, capture: CaptureRow, status: str) -> None:
    """It has ended although its bucket is away, and leaves nothing once that is back."""
    ended = await done(ctx, capture["_id"])
    assert (ended.capture["status"], ended.capture["stage"]) == (status, "")
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (0, 0)
    assert files(ctx) == []
    front.answer("^(DELETE |POST .*[?]delete)", 503, "SlowDown")
    still = await go_on(ctx, capture["_id"])  # the bucket is away still, and it is tried again
    assert still.capture["lease_until"] is not None
    front.heal()
    over = await go_on(ctx, capture["_id"])
    assert (over.capture["status"], over.capture["lease_until"]) == (status, None)
    await nothing_is_left(ctx)
    assert await kept(ctx) == {}


@pytest.mark.parametrize("sent", [False, True])
async def test_a_capture_that_waits_for_its_bucket_can_be_cancelled(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, sent: bool
) -> None:
    """Though the bucket does not answer, and may have its bytes."""
    await ended_share()
    waiting = await held_up(ctx, front, sent=sent, last=5)
    cancelled = await endings.cancel(ctx, ADA, waiting["_id"])
    assert cancelled["status"] == "cancelled"
    await never_a_clip(ctx, front, waiting, "cancelled")


@pytest.mark.parametrize("last_seconds", [None, 60.0])
@pytest.mark.parametrize("sent", [False, True])
async def test_what_is_deleted_of_a_share_is_in_no_clip_that_waits_for_its_bucket(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, sent: bool, last_seconds: float | None
) -> None:
    """All of it, or a part."""
    [share] = await ended_share(age=25)
    waiting = await held_up(ctx, front, sent=sent, last=5)
    buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
    assert buffer is not None
    if last_seconds is None:
        await share_erasure.erase_share(ctx, ADA, buffer)
    else:
        await share_erasure.erase_last(ctx, ADA, buffer, timedelta(seconds=last_seconds))
    status = "cancelled" if last_seconds is None else "failed"
    await never_a_clip(ctx, front, waiting, status)
    told = {row["event"] async for row in ctx.store.rows(OutgoingEvent).find({})}
    assert ("capture_failed" in told) is (status == "failed")


@pytest.mark.heavy
async def test_nothing_is_lost_to_a_store_that_stands_still_for_a_minute(
    ctx: Context, ended_share: MakeShare, seaweed: Seaweed
) -> None:
    """Its connections are taken, and nothing is answered: the capture ends when it goes on."""
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    seaweed.pause()
    working = asyncio.create_task(work_on(ctx, row["_id"]))
    try:
        await asyncio.wait({working}, timeout=60)
        assert (await done(ctx, row["_id"])).clip is None
    finally:
        seaweed.resume()
    await working
    made = await done(ctx, row["_id"])
    if made.clip is None:  # it was given up for this attempt
        assert made.capture["stage"] == "waiting for storage"
        made = await go_on(ctx, row["_id"])
    await check_one(ctx, made, 0)


async def test_a_store_that_comes_back_within_the_attempt_is_not_noticed(
    ctx: Context, ended_share: MakeShare, front: ObjectFront
) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    refused = 0

    def once() -> None:
        nonlocal refused
        refused += 1
        if refused == 2:
            front.heal()

    front.answer("^PUT ", 503, "SlowDown")
    front.before = once
    await work_on(ctx, row["_id"])
    await check_one(ctx, await done(ctx, row["_id"]), 0)


async def test_a_capture_that_can_not_be_made_leaves_no_object(
    ctx: Context, ended_share: MakeShare, front: ObjectFront
) -> None:
    """Even one that was put already, when its last attempt is over."""
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    front.answer("^PUT ", 503, "SlowDown")
    await work_on(ctx, row["_id"])
    front.heal()
    (part,) = (ctx.settings.media_root / "replays").rglob("*.part")
    part.unlink()
    await ctx.store.rows(Capture).update_one(
        {"_id": row["_id"]}, {"$set": {"attempts": execution.ATTEMPTS}}
    )
    made = await go_on(ctx, row["_id"])
    assert (made.capture["status"], made.capture["reason"]) == ("failed", "gave-up")
    await nothing_is_left(ctx)
    assert await kept(ctx) == {}


async def test_a_deleted_clip_stays_until_the_store_can_delete_it(
    ctx: Context, ended_share: MakeShare, front: ObjectFront
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    await library.delete(ctx, ADA, made.capture["clip_id"])
    await library.restore(ctx, ADA, made.capture["clip_id"])
    assert len(await bytes_of(ctx, made)) == sum((await kept(ctx)).values())
    await library.delete(ctx, ADA, made.capture["clip_id"])
    later = datetime.now(UTC) + timedelta(minutes=2)
    front.answer("^(DELETE |POST .*[?]delete)", 403, "AccessDenied")
    await clip_expiry.sweep_clips(ctx, now=later)
    front.heal()
    assert len(await kept(ctx)) == 1
    assert await ctx.store.rows(File).count_documents({}) == 1
    await clip_expiry.sweep_clips(ctx, now=later)
    await nothing_is_left(ctx)
    assert await kept(ctx) == {}


async def test_what_does_not_match_in_the_bucket_is_named(
    ctx: Context, ended_share: MakeShare, tmp_path: Any
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    assert made.file is not None
    path = made.file["storage_path"]
    assert await violations(ctx) == []
    assert await quota_check.check(ctx, 0) == []
    for name, content in (("stray.mp4", b"stray"), (path.rpartition("/")[2], b"short")):
        part = tmp_path / "part"
        part.write_bytes(content)
        await ctx.clips.publish(f"{path.rpartition('/')[0]}/{name}", part)
    told = sorted(await violations(ctx))
    assert len(told) == 2
    assert "stray.mp4 belongs to no clip" in told[0]
    assert "has 5 bytes, not" in told[1]
    await ctx.clips.remove([path])
    assert any("is gone, not" in each for each in await violations(ctx))


async def test_no_more_of_an_object_is_fetched_than_its_clip_has(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, tmp_path: Any
) -> None:
    """A store that says what it likes would fill the disk on which shares are recorded."""
    await ended_share()
    made = await captured(ctx, ADA, last=7)
    assert made.file is not None
    head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\nConnection: close\r\n"
    told = f'{head}Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\nETag: "e"\r\n\r\n'
    front.tell("^HEAD ", [told.encode()])
    before = front.count("^GET ")
    with pytest.raises(FileNotFoundError, match="has 1000000000000 bytes, and the clip"):
        async with clip_source.excerpt(ctx, made.file, tmp_path / "1.part"):
            pass
    with pytest.raises(FileNotFoundError):
        async with clip_source.opened(ctx, made.file):
            pass
    assert front.count("^GET ") == before
    assert files(ctx) == []
