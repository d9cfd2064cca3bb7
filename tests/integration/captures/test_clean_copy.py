"""What others get of a clip: all that it shows, nothing that it hides, made once, gone with it."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access import quota
from app.captures import copy_execution
from app.captures.row_leases import Lost
from app.clips import clean_copies, clip_expiry, clip_invariants, library
from app.clips.clean_copies import Preparing
from app.clips.clip_location import clean_path
from app.clips.clip_pages import Clip
from app.context import Context
from app.models import ClipRow, Visibility
from app.models.schema import ReplayClip
from tests.integration.captures.checking import Done, captured, files, tools_of
from tests.integration.captures.conftest import ADA, ADMIN, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.queued import empty_redis, queued
from tests.media_factory import MediaFactory, Recording, Shape
from tests.packet_checker import ROUNDING, Media, pictures, read_clip

FRAME_SECONDS = 1 / 15
MOST_STEPS = 60


async def open_by_link(ctx: Context, made: Done, *, hidden_head: bool = False) -> None:
    clip_id, visibility = made.capture["clip_id"], {"visibility": Visibility.LINK}
    await library.change(ctx, ADA, clip_id, visibility, hidden_head=hidden_head)


async def work_on_copy(ctx: Context, made: Done) -> ClipRow:
    """What a worker does with the job of a copy."""
    await copy_execution.run(ctx, tools_of(ctx), made.capture["clip_id"])
    return await row_of(ctx, made)


async def row_of(ctx: Context, made: Done) -> ClipRow:
    row = await ctx.store.rows(ReplayClip).find_one({"_id": made.capture["clip_id"]})
    assert row is not None
    return row


def copy_of(ctx: Context, made: Done) -> Path:
    assert made.file is not None
    return Path(clean_path(str(ctx.settings.media_root / made.file["storage_path"])))


async def hiding(ctx: Context, ended_share: MakeShare, last: float = 7.3) -> Done:
    """A clip that hides something before its start."""
    await ended_share()
    made = await captured(ctx, ADA, last=last, title="hello")
    assert made.clip is not None
    assert made.clip["hidden_head_seconds"] > 0
    return made


async def leases_end(ctx: Context) -> None:
    """What 15 seconds without a heartbeat do."""
    await ctx.store.rows(ReplayClip).update_many(
        {"clean_until": {"$ne": None}},
        {"$set": {"clean_until": datetime.now(UTC) - timedelta(seconds=1)}},
    )


async def sound_library(ctx: Context) -> None:
    """Nothing to say of clips and files, also when all that settles has settled."""
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    assert [each.detail async for each in clip_invariants.violations(ctx, later)] == []


def check_copy(whole: Path, copy: Path) -> Media:
    """The copy shows each picture of the clip at its time, hides none, and sounds as it does."""
    of_whole, of_copy = read_clip(whole), read_clip(copy)
    shown = [packet for packet in of_whole.video if not packet.hidden]
    assert not [packet for packet in of_copy.video if packet.hidden]
    times = [sorted(packet.seconds for packet in each) for each in (shown, of_copy.video)]
    assert len(times[0]) == len(times[1])
    for before, now in zip(*times, strict=True):
        assert abs(before - now) <= ROUNDING
    first = min(packet.seconds for packet in of_copy.video)
    assert all(packet.seconds >= first - ROUNDING for packet in of_copy.audio)
    return of_copy


@pytest.mark.parametrize(
    "shape",
    [
        Shape(frames=300),
        Shape(frames=300, b_frames=0),
        Shape(frames=300, audio=False),
        Shape(frames=300, hole=(12.4, 13.6)),
        Shape(frames=600, fps=30, sample_rate=48_000),
        Shape(frames=300, late_audio_seconds=0.5),
    ],
    ids=["plain", "no-b-frames", "silent", "hole", "30-fps", "late-sound"],
)
async def test_a_copy_shows_what_the_clip_shows_and_holds_nothing_more(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, shape: Shape
) -> None:
    """Its first group of pictures is encoded, all behind it are the clip's own."""
    await ended_share("ada", (factory.record(shape), 0.0))
    made = await captured(ctx, ADA, last=7.3)
    assert made.path is not None
    await open_by_link(ctx, made)
    row = await work_on_copy(ctx, made)
    copy = copy_of(ctx, made)
    assert (row["clean_bytes"], row["clean_until"]) == (copy.stat().st_size, None)
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    assert row["clean_checksum"] == f"sha256:{digest}"
    of_copy = check_copy(made.path, copy)
    of_clip = {packet.digest for packet in read_clip(made.path).video}
    copied = [packet for packet in of_copy.video if packet.digest in of_clip]
    encoded = [packet for packet in of_copy.video if packet.digest not in of_clip]
    assert len(copied) > len(of_copy.video) / 2
    assert 0 < len(encoded) <= 2 * shape.fps
    assert max(p.seconds for p in encoded) < min(p.seconds for p in copied) + ROUNDING
    sound = {packet.digest for packet in read_clip(made.path).audio}
    assert all(packet.digest in sound for packet in of_copy.audio)
    assert row["duration_seconds"] == pytest.approx(
        max(p.seconds for p in of_copy.video) + 1 / shape.fps, abs=0.07
    )
    await sound_library(ctx)


async def test_a_clip_within_one_group_of_pictures_is_encoded_whole(
    ctx: Context, ended_share: MakeShare
) -> None:
    made = await hiding(ctx, ended_share, last=0.7)
    assert made.path is not None
    await open_by_link(ctx, made)
    assert (await work_on_copy(ctx, made))["clean_bytes"]
    seen = pictures(copy_of(ctx, made))
    assert len(seen) == len(pictures(made.path))
    await sound_library(ctx)


async def test_a_clip_of_several_sessions_is_copied_as_one(
    ctx: Context, ended_share: MakeShare, recording: Recording, factory: MediaFactory
) -> None:
    other = factory.record(Shape(frames=300, variant=1))
    await ended_share("ada", (recording, 0.0), (other, 30.0))
    made = await captured(ctx, ADA, last=35, gaps="keep")
    assert made.clip is not None
    assert made.path is not None
    assert made.clip["hidden_head_seconds"] > 0
    await open_by_link(ctx, made)
    assert (await work_on_copy(ctx, made))["clean_bytes"]
    check_copy(made.path, copy_of(ctx, made))


async def test_a_copy_is_promised_when_a_clip_leaves_its_owner_and_only_then(
    ctx: Context, ended_share: MakeShare
) -> None:
    made = await hiding(ctx, ended_share)
    clip_id = made.capture["clip_id"]
    row = await row_of(ctx, made)
    assert made.file is not None
    assert await clean_copies.file_for_others(ctx, Clip(row, made.file)) == made.file
    await library.change(ctx, ADA, clip_id, {"keep": True})
    assert (await row_of(ctx, made))["clean_until"] is None
    await open_by_link(ctx, made, hidden_head=True)
    assert (await row_of(ctx, made))["clean_until"] is None
    assert await queued(ctx, "clean_copy") == 0
    await library.change(ctx, ADA, clip_id, {"visibility": Visibility.ROOM})
    assert await queued(ctx, "clean_copy") == 1
    row = await row_of(ctx, made)
    assert row["clean_until"] is not None
    with pytest.raises(Preparing) as raised:
        await library.file_for(ctx, ADMIN, made.file["_id"])
    assert raised.value.extra == {"retry_after": 1}
    assert await library.file_for(ctx, ADA, made.file["_id"]) == made.file
    await work_on_copy(ctx, made)
    served = await library.file_for(ctx, ADMIN, made.file["_id"])
    assert served["size_bytes"] == copy_of(ctx, made).stat().st_size
    assert await library.file_for(ctx, ADA, made.file["_id"]) == made.file
    # Once it has been given away the copy stays what others get.
    await library.change(ctx, ADA, clip_id, {"visibility": Visibility.PRIVATE})
    assert await library.file_for(ctx, ADMIN, made.file["_id"]) == served


async def test_a_clip_that_hides_nothing_needs_no_copy(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5, cut="exact")
    await open_by_link(ctx, made)
    assert made.file is not None
    assert (await row_of(ctx, made))["clean_until"] is None
    assert await library.file_for(ctx, ADMIN, made.file["_id"]) == made.file
    await work_on_copy(ctx, made)
    assert len(files(ctx)) == 1


async def test_the_copy_is_charged_to_nobody_and_goes_with_the_clip(
    ctx: Context, ended_share: MakeShare
) -> None:
    made = await hiding(ctx, ended_share)
    assert made.file is not None
    await open_by_link(ctx, made)
    await work_on_copy(ctx, made)
    assert len(files(ctx)) == 2
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (made.file["size_bytes"], 0)
    await deleted_for_good(ctx, made)
    assert files(ctx) == []


async def deleted_for_good(ctx: Context, made: Done) -> None:
    """What a DELETE and a minute do."""
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    await library.delete(ctx, ADA, made.capture["clip_id"], now=long_ago)
    await clip_expiry.sweep_clips(ctx)


async def test_a_clip_is_not_removed_under_who_copies_it(
    ctx: Context, ended_share: MakeShare
) -> None:
    """The sweep waits for the lease; whoever had it can tell nobody of a copy any more."""
    made = await hiding(ctx, ended_share)
    await open_by_link(ctx, made)
    taken = await copy_execution.take(ctx.store, made.capture["clip_id"])
    assert taken is not None
    await deleted_for_good(ctx, made)
    assert len(files(ctx)) == 1
    copy_of(ctx, made).write_bytes(b"x")
    with pytest.raises(Lost):
        await taken[1].end({"clean_bytes": 1}, ready=True)
    assert await copy_execution.take(ctx.store, made.capture["clip_id"]) is None
    await leases_end(ctx)
    await clip_expiry.sweep_clips(ctx)
    assert files(ctx) == []
    assert await ctx.store.rows(ReplayClip).count_documents({}) == 0


async def test_two_workers_make_one_copy(ctx: Context, ended_share: MakeShare) -> None:
    made = await hiding(ctx, ended_share)
    await open_by_link(ctx, made)
    await asyncio.gather(*(work_on_copy(ctx, made) for _ in range(3)))
    row = await row_of(ctx, made)
    assert (row["clean_attempts"], row["clean_until"]) == (1, None)
    assert len(files(ctx)) == 2


async def test_a_worker_killed_at_any_step_leaves_one_copy_in_the_end(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    made = await hiding(ctx, ended_share, last=3.3)
    before = await row_of(ctx, made)
    for step in range(MOST_STEPS):
        if await worker.act("open", "ada", before["_id"], die_at=step):
            await open_by_link(ctx, made)
        killed = await worker.act("copy", before["_id"], die_at=step)
        await leases_end(ctx)
        await copy_execution.requeue_due(ctx)
        row = await work_on_copy(ctx, made)
        assert row["clean_until"] is None, step
        assert row["clean_bytes"] == copy_of(ctx, made).stat().st_size, step
        assert len(files(ctx)) == 2, (step, files(ctx))
        await sound_library(ctx)
        if not killed:
            break
        copy_of(ctx, made).unlink()
        await ctx.store.rows(ReplayClip).replace_one({"_id": before["_id"]}, before)
    assert not killed
    assert step > 8


async def test_a_full_disk_is_tried_again_later_and_leaves_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    made = await hiding(ctx, ended_share)
    assert made.file is not None
    await open_by_link(ctx, made)
    await worker.act("copy", made.capture["clip_id"], size_limit=2000)
    row = await row_of(ctx, made)
    assert len(files(ctx)) == 1
    assert (row["clean_bytes"], row["clean_lease"], row["clean_attempts"]) == (None, None, 1)
    assert row["clean_until"] is not None
    await leases_end(ctx)
    await empty_redis(ctx)
    await copy_execution.requeue_due(ctx)
    assert await queued(ctx, "clean_copy") == 1
    assert (await work_on_copy(ctx, made))["clean_bytes"]


async def test_a_copy_that_is_lost_or_of_another_size_is_named(
    ctx: Context, ended_share: MakeShare
) -> None:
    made = await hiding(ctx, ended_share)
    await open_by_link(ctx, made)
    await work_on_copy(ctx, made)
    await sound_library(ctx)
    copy_of(ctx, made).write_bytes(b"x")
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    told = [each.detail async for each in clip_invariants.violations(ctx, later)]
    assert ["the copy of" in each and "has 1 bytes" in each for each in told] == [True]
    copy_of(ctx, made).unlink()
    told = [each.detail async for each in clip_invariants.violations(ctx, later)]
    assert ["the copy of" in each and "is gone" in each for each in told] == [True]
