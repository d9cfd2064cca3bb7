"""From an accepted capture to its clip, on real stores, real segments and a real disk."""

from __future__ import annotations

import asyncio
import math
import os
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.access import quota
from app.access.tokens import Caller
from app.buffer.clock import TICKS_PER_SECOND
from app.captures import endings, execution
from app.captures.capture_tools import CaptureTools
from app.captures.slots import Slots
from app.captures.verification import Verifier
from app.clips.clip_location import parts_path
from app.context import Context
from app.models import CaptureRow, CaptureStage
from app.models.schema import Buffer, Capture, File, Pin, ReplayClip, Segment
from app.viewing import stored_timelines
from tests.integration.buffer.shares import DiskShare, begin_share, indexing, nanoseconds
from tests.integration.captures.checking import (
    accepted,
    captured,
    check_whole,
    done,
    files,
    live_share,
    nothing_is_left,
    pictures_of,
    pictures_shown,
    reaches,
    waiting,
    work_on,
)
from tests.integration.captures.conftest import ADA, ADMIN, MakeShare, end_share
from tests.integration.queued import empty_redis, queued
from tests.integration.storage.test_root_away import unmounted
from tests.media_factory import MediaFactory, Recording, Shape, stepped
from tests.unit.captures.stubborn_verifier import tell
from tests.unit.captures.test_verifier import STUBBORN
from tests.waiting import PATIENCE_SECONDS, wait_for

UNDECODABLE_FRAMES = 3
"""At a window's end inside a GOP: B-frames of which a reference came only after the end."""


@pytest.mark.edge("segments of other lengths, steps in time")
@pytest.mark.parametrize("seconds", [-60, 7_200])
async def test_a_clip_over_a_step_in_its_medias_times_holds_every_packet_where_it_was(
    ctx: Context, recording: Recording, seconds: int
) -> None:
    share = await begin_share(ctx, "ada", datetime.now(UTC) - timedelta(seconds=21), recording)
    share.commit(4)
    while len(share.egress.lines) < len(recording.segments):
        media, length = share.next_segment()
        share.egress.commit(stepped(media, seconds * TICKS_PER_SECOND), length)
    share.egress.end()
    await share.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC), role=None)
    async with indexing(ctx):
        await share.read_to_the_end()
    await end_share(ctx, share.buffer_id)
    made = await captured(ctx, ADA, last=20)
    assert made.capture["status"] == "ready", made.capture["detail"]
    check_whole(made, share)


@pytest.mark.parametrize("last", [0.5, 2, 7.3, 20, 300])
async def test_the_clip_holds_every_packet_of_the_window_once(
    ctx: Context, ended_share: MakeShare, last: float
) -> None:
    [share] = await ended_share()
    made = await captured(ctx, ADA, last=last, title="hello")
    assert made.capture["status"] == "ready", made.capture["detail"]
    check_whole(made, share)
    assert made.clip is not None
    assert made.clip["duration_seconds"] == pytest.approx(min(last, 20), abs=0.07)


async def test_a_window_by_start_and_end_is_cut_at_frames(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    start = share.start + timedelta(seconds=3.31)
    made = await captured(ctx, ADA, start=start.isoformat(), end=_after(start, 4.02))
    check_whole(made, share)
    assert made.clip is not None
    assert made.clip["delivered_start"] is not None
    late = (made.clip["delivered_start"] - start).total_seconds()
    assert 0 <= late < 1 / 15 + 0.002
    assert made.clip["hidden_head_seconds"] == pytest.approx(1.33, abs=0.01)
    assert made.clip["gaps"] == []


async def test_whole_segments_are_given_when_asked_for(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    start = share.start + timedelta(seconds=3.3)
    made = await captured(ctx, ADA, start=start.isoformat(), end=_after(start, 4), cut="segment")
    assert made.path is not None
    assert made.clip is not None
    assert pictures_shown(made.path) == pictures_of(share, 2, 8)
    assert made.clip["hidden_head_seconds"] == 0


async def test_the_row_the_file_and_the_quota_say_what_is_on_the_disk(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5, title="Ada's demo")
    assert made.path is not None
    assert made.file is not None
    assert made.clip is not None
    size = made.path.stat().st_size
    assert made.file["size_bytes"] == size
    assert made.file["filename"].startswith("Ada's demo 20")
    assert made.file["checksum"] is not None
    assert made.file["checksum"].startswith("sha256:")
    assert made.path.parent.parent.name == "replays"
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (size, 0)
    assert made.capture["reserved_bytes"] == pytest.approx(size, rel=0.3)
    assert files(ctx) == [made.path.name]
    assert await ctx.store.rows(Pin).count_documents({}) == 0
    assert made.clip["owner"] == made.clip["shared_by"] == "ada"
    assert made.clip["clock"] == "exact"
    assert made.capture["lease_until"] is None


async def test_include_waits_for_the_segment_that_covers_the_call(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=8.2, segments=4) as share:
        row, job = await waiting(ctx, ADA, last=5)
        pins = await ctx.store.rows(Pin).find({}).to_list(None)
        assert [pin["end_ticks"] for pin in pins] == [None]
        share.commit(_lacks(share, row))
        await job
    made = await done(ctx, row["_id"])
    check_whole(made, share)
    assert made.clip is not None
    assert made.clip["tail_lag_seconds"] < 0.21
    assert made.clip["duration_seconds"] == pytest.approx(5, abs=0.28)


async def test_skip_takes_what_is_there_at_once(ctx: Context, recording: Recording) -> None:
    async with live_share(ctx, recording, age=9.5, segments=4) as share:
        made = await captured(ctx, ADA, last=5, tail="skip")
    check_whole(made, share, segments=4)
    assert made.clip is not None
    assert made.clip["delivered_end"] == made.capture["window_end"]


async def test_post_roll_reaches_beyond_the_call(ctx: Context, recording: Recording) -> None:
    async with live_share(ctx, recording, age=6.1, segments=3) as share:
        row, job = await waiting(ctx, ADA, last=3, post_roll=1.5)
        share.commit(_lacks(share, row) - 1)
        await asyncio.wait({job}, timeout=0.5)
        assert not job.done()
        share.commit(1)
        await job
    made = await done(ctx, row["_id"])
    check_whole(made, share)
    assert made.clip is not None
    assert made.clip["duration_seconds"] == pytest.approx(4.5, abs=0.28)


@pytest.mark.edge("cleanup, the share's end, a killed worker during a capture")
async def test_a_share_that_ends_meanwhile_gives_what_is_there(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=9.5, segments=4) as share:
        row, job = await waiting(ctx, ADA, last=8)
        share.egress.end()
        await share.change(status="EGRESS_COMPLETE", role=None, ended_at=datetime.now(UTC))
        await end_share(ctx, share.buffer_id)
        await job
        assert datetime.now(UTC) < row["wait_until"], "its end ended the waiting"
    made = await done(ctx, row["_id"])
    check_whole(made, share, segments=4)
    assert made.clip is not None
    lacks = (row["window_end"] - share.start).total_seconds() - 8
    assert made.clip["tail_lag_seconds"] == pytest.approx(lacks, abs=0.2)
    assert "end-clamped" in made.clip["notes"]


async def test_a_share_that_is_only_starting_is_waited_for(
    ctx: Context, recording: Recording
) -> None:
    share = await begin_share(
        ctx, "ada", datetime.now(UTC) - timedelta(seconds=1), recording, clock_ns=None,
        clock_exact=False, status="EGRESS_STARTING", active_at=None,
    )  # fmt: skip
    row = await accepted(ctx, ADA, last=3)
    assert row["spans"] == []
    async with indexing(ctx):
        job = asyncio.create_task(work_on(ctx, row["_id"]))
        await reaches(ctx, row["_id"], "waiting")
        clock_ns = nanoseconds(share.start)
        await share.change(clock_ns=clock_ns, clock_exact=True, status="EGRESS_ACTIVE")
        share.commit(_lacks(share, row))
        await job
    made = await done(ctx, row["_id"])
    assert made.capture["status"] == "ready", made.capture["detail"]
    check_whole(made, share)
    assert made.clip is not None
    # counted back from the call, a second or two after the share began
    since = (row["window_end"] - share.start).total_seconds()
    assert made.clip["duration_seconds"] == pytest.approx(min(since, 3), abs=0.4)
    assert ("start-clamped" in made.clip["notes"]) == (since < 2.75)


async def test_the_last_seconds_reach_back_over_a_reconnect_and_its_gap_is_told(
    ctx: Context, ended_share: MakeShare, recording: Recording
) -> None:
    """The share has had two tracks; by either it is found, and by its first one's id."""
    first, second = await ended_share("ada", (recording, 0.0), (recording, 25.0))
    assert second.buffer_id == first.buffer_id
    await second.change(video_sid="TR_again")
    now = {"$set": {"video_sid": "TR_again"}}
    await ctx.store.rows(Buffer).update_one({"_id": first.buffer_id}, now)
    by_track = [await accepted(ctx, ADA, last=5, share=sid) for sid in ("TR_ada", "TR_again")]
    assert {row["buffer_id"] for row in by_track} == {first.buffer_id}
    made = await captured(ctx, ADA, last=60)
    assert made.clip is not None
    assert made.clip["duration_seconds"] == pytest.approx(40, abs=0.2)
    [gap] = made.clip["gaps"]
    assert (gap["why"], gap["kept"]) == ("not-recorded", False)
    assert (gap["end"] - gap["start"]).total_seconds() == pytest.approx(5, abs=0.2)
    line = await stored_timelines.read(ctx.store, first.buffer_id, datetime.now(UTC), ctx.settings)
    assert line is not None
    assert [each.why for each in line.gaps] == ["not-shared"]


async def test_sessions_are_joined_and_the_pause_is_told(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, recording: Recording
) -> None:
    other = factory.record(Shape(frames=90, variant=1))
    first, second = await ended_share("ada", (recording, 0.0), (other, 25.0))
    start = first.start + timedelta(seconds=15)
    made = await captured(ctx, ADA, start=start.isoformat(), end=_after(start, 13))
    assert made.path is not None
    assert made.clip is not None
    shown = pictures_shown(made.path)
    expected = [*pictures_of(first, 15, 20), *pictures_of(second, 0, 3)]
    assert shown == expected[: len(shown)]
    assert len(expected) - len(shown) <= UNDECODABLE_FRAMES
    [gap] = made.clip["gaps"]
    assert (gap["why"], gap["kept"]) == ("not-recorded", False)
    assert (gap["start"] - first.start).total_seconds() == pytest.approx(20, abs=0.01)
    assert (gap["end"] - first.start).total_seconds() == pytest.approx(25, abs=0.01)
    assert made.clip["duration_seconds"] == pytest.approx(8, abs=0.3)


async def test_a_pause_is_kept_when_asked_for(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, recording: Recording
) -> None:
    other = factory.record(Shape(frames=90, variant=1))
    first, _ = await ended_share("ada", (recording, 0.0), (other, 22.0))
    start = first.start + timedelta(seconds=18)
    made = await captured(ctx, ADA, start=start.isoformat(), end=_after(start, 6), gaps="keep")
    assert made.clip is not None
    assert made.clip["duration_seconds"] == pytest.approx(6, abs=0.3)
    assert [gap["kept"] for gap in made.clip["gaps"]] == [True]


async def test_a_lost_segment_is_left_out_and_told(ctx: Context, ended_share: MakeShare) -> None:
    [share] = await ended_share()
    rows = await share.rows()
    await ctx.store.rows(Segment).delete_one({"_id": rows[4]["_id"]})
    made = await captured(ctx, ADA, last=20)
    assert made.path is not None
    assert made.clip is not None
    assert pictures_shown(made.path) == [*pictures_of(share, 0, 8), *pictures_of(share, 10, 20)]
    assert [(gap["why"], gap["kept"]) for gap in made.clip["gaps"]] == [("lost", False)]
    assert made.clip["duration_seconds"] == pytest.approx(18, abs=0.1)


@pytest.mark.edge("sessions that do not fit together")
async def test_a_change_of_size_fails_and_names_the_widest_window(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, recording: Recording
) -> None:
    other = factory.record(Shape(frames=90, size=(192, 108)))
    first, _ = await ended_share("ada", (recording, 0.0), (other, 20.0))
    made = await captured(ctx, ADA, last=26)
    assert (made.capture["status"], made.capture["reason"]) == ("failed", "sizes-differ")
    begin = first.start.isoformat(timespec="seconds").removesuffix("+00:00")
    assert f"the widest window that fits is {begin[:-1]}" in made.capture["detail"]
    await nothing_is_left(ctx)


@pytest.mark.parametrize("damage", ["deleted", "truncated", "longer", "altered"])
async def test_a_segment_that_changed_on_disk_fails_the_capture_and_leaves_nothing(
    ctx: Context, ended_share: MakeShare, damage: str
) -> None:
    [share] = await ended_share()
    path = share.fragments / (await share.rows())[7]["name"]
    row = await accepted(ctx, ADA, last=10)
    if damage == "deleted":
        path.unlink()
    elif damage == "truncated":
        os.truncate(path, path.stat().st_size - 1)
    elif damage == "longer":
        os.truncate(path, path.stat().st_size + 1)
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    await work_on(ctx, row["_id"])
    made = await done(ctx, row["_id"])
    assert (made.capture["status"], made.capture["reason"]) == ("failed", "segment-changed")
    assert path.name in made.capture["detail"]
    assert str(ctx.settings.media_root) not in made.capture["detail"]
    await nothing_is_left(ctx)


async def test_a_missing_init_segment_fails_the_capture(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    row = await accepted(ctx, ADA, last=10)
    (share.fragments / share.files("init-*")[0]).unlink()
    await work_on(ctx, row["_id"])
    assert (await done(ctx, row["_id"])).capture["reason"] == "segment-changed"
    await nothing_is_left(ctx)


async def test_media_that_is_forgotten_before_the_capture_begins_fails_it(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=10)
    await ctx.store.rows(Segment).delete_many({})
    await work_on(ctx, row["_id"])
    assert (await done(ctx, row["_id"])).capture["reason"] == "nothing-recorded"
    await nothing_is_left(ctx)


async def test_a_capture_waits_for_a_disk_that_is_away(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    row = await accepted(ctx, ADA, last=10)
    with unmounted(ctx.settings.media_root):
        for _ in range(execution.ATTEMPTS + 1):
            await work_on(ctx, row["_id"])
    standing = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
    assert standing is not None
    assert (standing["status"], standing["stage"]) == ("running", CaptureStage.STORE_AWAY)
    await work_on(ctx, row["_id"])
    check_whole(await done(ctx, row["_id"]), share)


async def test_a_queued_capture_is_cancelled(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=10)
    cancelled = await endings.cancel(ctx, ADA, row["_id"])
    assert cancelled["status"] == "cancelled"
    await work_on(ctx, row["_id"])
    await _look_again(ctx, row["_id"])
    await nothing_is_left(ctx)


async def test_a_waiting_capture_is_cancelled_and_its_worker_stops(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=9, segments=4):
        row, job = await waiting(ctx, ADA, last=5, post_roll=60)
        await endings.cancel(ctx, ADA, row["_id"])
        await asyncio.wait_for(job, PATIENCE_SECONDS)
    await _look_again(ctx, row["_id"])
    await nothing_is_left(ctx)


@pytest.mark.edge("many captures, the last byte of a quota")
async def test_ten_captures_at_once_are_all_made(ctx: Context, ended_share: MakeShare) -> None:
    [share] = await ended_share()
    rows = [await accepted(ctx, ADA, last=20) for _ in range(10)]
    slots = Slots.of(ctx.settings)
    await asyncio.gather(*(work_on(ctx, row["_id"], slots) for row in rows))
    made = [await done(ctx, row["_id"]) for row in rows]
    assert [each.capture["status"] for each in made] == ["ready"] * 10
    assert len({each.file["checksum"] for each in made if each.file}) == 1
    check_whole(made[0], share)
    assert len(files(ctx)) == 10


async def test_a_clip_that_ruins_its_verifier_fails_and_its_neighbours_are_made(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    rows = [await accepted(ctx, ADA, last=20) for _ in range(3)]
    tell(ctx.settings.media_root, parts_path(rows[1]), "dies")
    tools = CaptureTools(Slots.of(ctx.settings), Verifier(STUBBORN))
    try:
        await asyncio.gather(*(execution.run(ctx, tools, row["_id"]) for row in rows))
    finally:
        tools.verifier.close()
    good, ruinous, as_good = [(await done(ctx, row["_id"])).capture for row in rows]
    assert good["status"] == as_good["status"] == "ready"
    assert (ruinous["status"], ruinous["reason"]) == ("failed", "verification-failed")
    assert "the process that read it: it " in ruinous["detail"]
    assert len(files(ctx)) == 2


async def test_clips_that_hang_their_verifiers_keep_nobody_elses_waiting(
    ctx: Context, ended_share: MakeShare
) -> None:
    """However many one caller asks for."""
    eve = Caller("eve")
    for name in ("eve", "ada"):
        await ended_share(name)
    hostile = [await accepted(ctx, eve, identity="eve", last=20) for _ in range(8)]
    for row in hostile:
        tell(ctx.settings.media_root, parts_path(row), "hangs")
    neighbours = [await accepted(ctx, ADA, identity="ada", last=20) for _ in range(3)]
    tools = CaptureTools(Slots.of(ctx.settings), Verifier(STUBBORN))
    tasks = [asyncio.create_task(execution.run(ctx, tools, row["_id"])) for row in hostile]
    try:
        for row in hostile:
            await reaches(ctx, row["_id"], "running")
        for row in neighbours:
            await execution.run(ctx, tools, row["_id"])
        over = [task.done() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tools.verifier.close()
    made = [(await done(ctx, row["_id"])).capture["status"] for row in neighbours]
    assert made == ["ready"] * 3
    assert sum(over) < len(over) / 2, over  # most of them hang still


def wait_in_line(slots: Slots, caller: Caller, count: int) -> bool:
    return slots.copies.waiting(caller.identity) == count


async def test_one_capture_does_not_wait_for_the_ten_of_somebody_else(
    ctx: Context, ended_share: MakeShare
) -> None:
    """A worker makes those of different callers in turn."""
    await ended_share()
    slots = Slots.of(ctx.settings.model_copy(update={"captures_at_once": 1}))
    many = [await accepted(ctx, ADA, last=20) for _ in range(10)]
    one = await accepted(ctx, ADMIN, identity="ada", last=20)
    async with slots.copies.turn("somebody"):
        tasks: list[asyncio.Task[None]] = []
        for rows, who in ((many, ADA), ([one], ADMIN)):
            tasks += [asyncio.create_task(work_on(ctx, row["_id"], slots)) for row in rows]
            await wait_for(partial(wait_in_line, slots, who, len(rows)))
    await asyncio.gather(*tasks)
    made = [(await done(ctx, row["_id"])).capture["result"] for row in (*many, one)]
    written = [result["created_at"] for result in made if result is not None]
    assert sorted(written)[1] == written[-1]
    assert len(written) == 11


@pytest.mark.edge("two replicas of everything")
async def test_two_workers_with_the_same_job_make_one_clip(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=20)
    await asyncio.gather(*(work_on(ctx, row["_id"]) for _ in range(4)))
    made = await done(ctx, row["_id"])
    assert made.capture["status"] == "ready"
    assert made.capture["attempts"] == 1
    assert len(files(ctx)) == 1


async def test_a_worker_that_is_told_to_stop_hands_back_and_another_goes_on(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=9, segments=4) as share:
        row, job = await waiting(ctx, ADA, last=5)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        standing = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
        assert standing is not None
        assert standing["lease"] is None
        assert standing["attempts"] == 0
        share.commit(_lacks(share, row))
        await share.indexed(len(share.egress.lines))
        await work_on(ctx, row["_id"])
    check_whole(await done(ctx, row["_id"]), share)


async def test_a_capture_that_kills_every_worker_is_given_up(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    await ctx.store.rows(Capture).update_one(
        {"_id": row["_id"]}, {"$set": {"attempts": execution.ATTEMPTS}}
    )
    await work_on(ctx, row["_id"])
    made = await done(ctx, row["_id"])
    assert (made.capture["status"], made.capture["reason"]) == ("failed", "gave-up")
    await nothing_is_left(ctx)


@pytest.mark.parametrize("is_named", [False, True])
@pytest.mark.parametrize(("attempts", "status"), [(-1, "ready"), (0, "failed")])
async def test_a_verified_file_becomes_a_clip_or_is_given_up_without_a_trace(
    ctx: Context, ended_share: MakeShare, is_named: bool, attempts: int, status: str
) -> None:
    """Before the file has its name, and when it is a clip already but for the capture's state."""
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    result = made.capture["result"]
    assert result is not None
    assert made.path is not None
    if not is_named:
        made.path.rename(made.path.with_name(result["part"]))
        for rows in (ctx.store.rows(ReplayClip), ctx.store.rows(File)):
            await rows.delete_many({})
    interrupted = {
        "status": "running",
        "attempts": execution.ATTEMPTS + attempts,
        "named": is_named,
        "lease": "dead",
        "lease_until": datetime.now(UTC) - timedelta(seconds=1),
    }
    await ctx.store.rows(Capture).update_one({"_id": made.capture["_id"]}, {"$set": interrupted})
    await work_on(ctx, made.capture["_id"])
    after = await done(ctx, made.capture["_id"])
    assert after.capture["status"] == status
    if status == "ready":
        assert after.file is not None
        assert files(ctx) == [made.path.name]
        assert after.file["size_bytes"] == made.path.stat().st_size
    else:
        assert after.capture["reason"] == "gave-up"
        await nothing_is_left(ctx)


async def test_a_lease_that_has_ended_is_queued_again(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    past = {"lease": "dead", "lease_until": datetime.now(UTC) - timedelta(seconds=1)}
    await ctx.store.rows(Capture).update_one({"_id": row["_id"]}, {"$set": past})
    await empty_redis(ctx)
    await execution.requeue_expired(ctx)
    assert await queued(ctx) == 1
    await execution.requeue_expired(ctx)
    assert await queued(ctx) == 1
    await work_on(ctx, row["_id"])
    assert (await done(ctx, row["_id"])).capture["status"] == "ready"


async def test_an_acceptance_that_was_cut_off_is_taken_back(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    cut_off = {
        "status": "accepting",
        "lease": "accepting",
        "lease_until": datetime.now(UTC) - timedelta(seconds=1),
    }
    await ctx.store.rows(Capture).update_one({"_id": row["_id"]}, {"$set": cut_off})
    await execution.requeue_expired(ctx)
    await work_on(ctx, row["_id"])
    assert await ctx.store.rows(Capture).count_documents({}) == 0
    await nothing_is_left(ctx, cut_off=True)


async def test_captures_of_a_buffer_that_is_forgotten_end(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    row = await accepted(ctx, ADA, last=5)
    await endings.cancel_all_of(ctx, share.buffer_id, row["accepted_at"])
    assert (await done(ctx, row["_id"])).capture["status"] == "cancelled"


async def test_a_clip_of_a_session_without_an_exact_clock_says_so(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share(clock_exact=False)
    made = await captured(ctx, ADA, last=5)
    assert made.clip is not None
    assert made.clip["clock"] == "approximate"
    assert "clock-approximate" in made.clip["notes"]


async def test_buffers_of_equal_names_in_other_rooms_are_not_mixed(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share("ada")
    await ended_share("bob")
    assert await ctx.store.rows(Buffer).count_documents({}) == 2
    made = await captured(ctx, ADA, last=20)
    check_whole(made, share)


def _lacks(share: DiskShare, row: CaptureRow) -> int:
    """How many segments of 2 s are still to come of a capture's window."""
    reaches_to = (row["window_end"] - share.start) / timedelta(seconds=2)
    return math.ceil(reaches_to) - len(share.egress.lines)


def _after(start: datetime, seconds: float) -> str:
    return (start + timedelta(seconds=seconds)).isoformat()


async def _look_again(ctx: Context, capture_id: str) -> None:
    """The last look that follows a cancellation, without its delay."""
    await ctx.store.rows(Capture).update_one(
        {"_id": capture_id, "lease_until": {"$ne": None}},
        {"$set": {"lease_until": datetime.now(UTC) - timedelta(seconds=1)}},
    )
    await work_on(ctx, capture_id)
