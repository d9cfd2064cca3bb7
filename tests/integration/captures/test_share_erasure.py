"""A share that is erased takes its unfinished captures along, and leaves the clips.

Of which a part is erased, those that are at work fail, and the others are made without it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.access import quota
from app.captures import share_erasure
from app.cleaning import erasure, part_erasure
from app.context import Context
from app.errors import TooManyRequests
from app.models.schema import AuditEntry, Buffer, Capture, Deed, OutgoingEvent
from app.viewing import stored_timelines
from tests.integration.buffer.shares import DiskShare, begin_share, indexing, nanoseconds
from tests.integration.captures.checking import accepted, captured, done, live_share, work_on
from tests.integration.captures.conftest import ADA
from tests.media_factory import Recording
from tests.waiting import wait_for


async def promised_until(share: DiskShare) -> datetime:
    """The end of what is to go of a share."""
    buffer = await share.ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
    assert buffer is not None
    return buffer["forget_before"] or buffer["forget_ranges"][0]["end"]


async def wait_for_segments(share: DiskShare, count: int) -> None:
    """Returns when the last of so many is indexed; others may have been deleted before."""

    async def enough() -> bool:
        return any(row["sequence"] == count - 1 for row in await share.rows())

    await wait_for(enough)


async def test_captures_that_were_accepted_by_then_are_cancelled_and_later_ones_are_not(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=9.4, segments=3) as share:
        kept = await captured(ctx, ADA, last=2, tail="skip")
        going = await accepted(ctx, ADA, last=4)
        buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
        assert buffer is not None
        await share_erasure.erase_share(ctx, ADA, buffer)
        until = await promised_until(share)
        assert (await done(ctx, going["_id"])).capture["status"] == "cancelled"
        await share_erasure.go_on(ctx, share.buffer_id)
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert held.reserved_bytes == 0
        assert kept.path is not None
        assert kept.path.exists()
        share.commit(5)  # the seconds from 6 to 16; the share was erased at 9.4, or later
        rows = await share.indexed(5)
        assert rows[0]["start"] < until < rows[-1]["start"]
        await share_erasure.go_on_with_all(ctx)
        after = await captured(ctx, ADA, last=1, tail="skip")
        assert after.capture["status"] == "ready"
        assert after.clip is not None
        assert after.clip["delivered_start"] is not None
        assert after.clip["delivered_start"] >= until
        await erasure.promise(ctx.store, share.buffer_id, buffer["since"])
        await share_erasure.go_on_with_all(ctx)
        assert await share.rows() == [row for row in rows if row["start"] >= until]
    entry = await ctx.store.rows(AuditEntry).find_one({"action": "buffer_forgotten"})
    assert entry is not None
    assert (entry["identity"], entry["subject"]) == ("ada", share.buffer_id)


async def test_a_capture_that_waits_is_made_without_the_part_that_is_erased(
    ctx: Context, recording: Recording
) -> None:
    """And one that has begun to read fails with the reason; its event says so."""
    async with live_share(ctx, recording, age=8.1, segments=4) as share:
        before = await captured(ctx, ADA, last=2, tail="skip")
        going = await accepted(ctx, ADA, last=8, tail="skip")
        reading = await accepted(ctx, ADA, last=4, tail="skip")
        first_second = {"start": share.start, "end": share.start + timedelta(seconds=1)}
        elsewhere = await accepted(
            ctx, ADA, **{each: instant.isoformat() for each, instant in first_second.items()}
        )
        begun = {"$set": {"status": "running"}}
        for row in (reading, elsewhere):
            await ctx.store.rows(Capture).update_one({"_id": row["_id"]}, begun)
        buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
        assert buffer is not None
        since_third = datetime.now(UTC) - share.start - timedelta(seconds=4.1)
        await share_erasure.erase_last(ctx, ADA, buffer, since_third)
        failed = (await done(ctx, reading["_id"])).capture
        assert (failed["status"], failed["reason"]) == ("failed", "media-deleted")
        assert (await done(ctx, elsewhere["_id"])).capture["status"] == "running"
        await share_erasure.go_on_with_all(ctx)
        assert {"00000000.m4s", "00000001.m4s"} <= set(share.files("*.m4s"))
        assert "00000003.m4s" not in share.files("*.m4s")
        await work_on(ctx, going["_id"])
        made = await done(ctx, going["_id"])
        assert made.capture["status"] == "ready"
        assert made.clip is not None
        assert made.clip["delivered_end"] is not None
        assert made.clip["delivered_end"] <= share.start + timedelta(seconds=6.1)
        assert before.path is not None
        assert before.path.exists()
        # A capture that begins now is not failed by the passes to come.
        await ctx.store.rows(Capture).update_one({"_id": elsewhere["_id"]}, {"$set": {
            "window_end": datetime.now(UTC)}})  # fmt: skip
        await share_erasure.go_on_with_all(ctx)
        assert (await done(ctx, elsewhere["_id"])).capture["status"] == "running"
    told = {row["event"] async for row in ctx.store.rows(OutgoingEvent).find({})}
    assert {"buffer_erased", "capture_failed"} <= told
    entry = await ctx.store.rows(AuditEntry).find_one({"action": "buffer_forgotten"})
    assert entry is not None
    assert entry["data"]["start"] is not None


@pytest.mark.parametrize("all_of_it", [False, True])
async def test_a_deletion_reaches_to_the_present_of_a_clock_that_is_ahead(
    ctx: Context, recording: Recording, all_of_it: bool
) -> None:
    """What is dated later than our now and was seen, and what was recorded and is still to come."""
    age, ahead = 9.4, timedelta(seconds=5)  # 6 s and what egress takes until they are there
    start = datetime.now(UTC) - timedelta(seconds=age)
    clock_ns = nanoseconds(start + ahead)
    share = await begin_share(ctx, "ada", start, recording, clock_ns=clock_ns)
    async with indexing(ctx):
        share.commit(3)
        rows = await share.indexed(3)
        assert rows[-1]["end"] > datetime.now(UTC)
        buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
        assert buffer is not None
        asked_at = datetime.now(UTC)
        if all_of_it:
            await share_erasure.erase_share(ctx, ADA, buffer)
        else:
            await share_erasure.erase_last(ctx, ADA, buffer, timedelta(seconds=60))
        until = await promised_until(share)
        assert until - asked_at > ahead - timedelta(seconds=1)
        line = await stored_timelines.read(
            ctx.store, share.buffer_id, datetime.now(UTC), ctx.settings
        )
        assert line is not None
        assert line.spans == ()
        await share_erasure.go_on_with_all(ctx)
        assert share.files("*.m4s") == []
        share.commit(5)  # to 16 s after the start; the first two hold some of before the word
        await wait_for_segments(share, 8)
        rows = [row for row in await share.rows() if row["sequence"] > 2]
        assert rows[1]["start"] < until < rows[-1]["start"]
        await share_erasure.go_on_with_all(ctx)
        assert share.files("*.m4s") == [row["name"] for row in rows if row["start"] >= until]
    buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
    assert buffer is not None
    assert (buffer["forget_before"], buffer["forget_ranges"]) == (None, [])


async def test_a_capture_that_has_read_a_segment_of_what_is_deleted_fails(
    ctx: Context, recording: Recording
) -> None:
    """Though its window ends before, or begins after: segments are read whole."""
    async with live_share(ctx, recording, age=14, segments=7) as share:
        windows = {"before": (1, 4.5), "after": (7.5, 11), "apart": (0, 3.5)}
        reading: dict[str, str] = {}
        for name, window in windows.items():
            begin, end = (share.start + timedelta(seconds=each) for each in window)
            row = await accepted(ctx, ADA, start=begin.isoformat(), end=end.isoformat())
            begun = {"$set": {"status": "running"}}
            await ctx.store.rows(Capture).update_one({"_id": row["_id"]}, begun)
            reading[name] = row["_id"]
        first, last = (share.start + timedelta(seconds=each) for each in (5, 7))
        await part_erasure.promise(ctx.store, share.buffer_id, first, last)
        await share_erasure.go_on(ctx, share.buffer_id)
        found = {name: (await done(ctx, each)).capture["status"] for name, each in reading.items()}
        assert found == {"before": "failed", "after": "failed", "apart": "running"}


async def test_the_word_is_kept_though_whoever_took_it_died(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=6.1, segments=3) as share:
        reading = await accepted(ctx, ADA, last=4, tail="skip")
        begun = {"$set": {"status": "running"}}
        await ctx.store.rows(Capture).update_one({"_id": reading["_id"]}, begun)
        since = share.start + timedelta(seconds=3)
        await part_erasure.promise(ctx.store, share.buffer_id, since, datetime.now(UTC))
        await share_erasure.go_on_with_all(ctx)
        assert (await done(ctx, reading["_id"])).capture["reason"] == "media-deleted"
        assert share.files("*.m4s") == ["00000000.m4s"]


async def test_of_those_who_ask_at_once_no_more_are_let_in_than_there_is_room_for(
    ctx: Context,
) -> None:
    """Each of them has seen room for one more deletion of a part."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    share = Buffer(
        id="b1", room="room", room_sid="RM", identity="ada", participant_sid="PA",
        video_sid="TR", community="default", since=began,
    )  # fmt: skip
    await ctx.store.create(share)
    for number in range(share_erasure.MOST_UNDER_WAY - 1):
        second = began + timedelta(seconds=number)
        await part_erasure.promise(ctx.store, "b1", second, second + timedelta(seconds=1))
    buffer = await ctx.store.rows(Buffer).find_one({"_id": "b1"})
    assert buffer is not None
    outcomes = await asyncio.gather(
        *(
            share_erasure.erase_last(ctx, ADA, buffer, timedelta(seconds=60 + number))
            for number in range(5)
        ),
        return_exceptions=True,
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, TooManyRequests) for outcome in outcomes) == 4
    row = await ctx.store.rows(Buffer).find_one({"_id": "b1"})
    assert row is not None
    assert len(row["forget_ranges"]) == share_erasure.MOST_UNDER_WAY
    assert await ctx.store.rows(AuditEntry).count_documents({}) == 1
    assert await ctx.store.rows(Deed).count_documents({}) == 0
