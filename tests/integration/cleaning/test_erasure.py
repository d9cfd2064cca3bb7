"""What a sharer wants erased goes at once, for good, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.buffer import pins
from app.cleaning import erasure, removal
from app.cleaning.buffer_invariants import violations
from app.context import Context
from app.models import MediaRange
from app.models.schema import Buffer, EgressSession, Pin, Segment
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline
from tests.integration.buffer.shares import BeginShare, DiskShare, begin_share, indexing
from tests.media_factory import Recording

SECOND = 90_000


async def erase(ctx: Context, disk: DiskShare, until: datetime | None = None) -> bool:
    await erasure.promise(ctx.store, disk.buffer_id, until or datetime.now(UTC))
    return await erasure.erase(ctx, disk.buffer_id)


async def told(ctx: Context, disk: DiskShare) -> Timeline:
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    return found


async def promised(ctx: Context, disk: DiskShare) -> bool:
    row = await ctx.store.rows(Buffer).find_one({"_id": disk.buffer_id})
    assert row is not None
    return row["forget_before"] is not None


async def test_everything_goes_at_once_pinned_or_not_and_the_share_goes_on(
    ctx: Context, recording: Recording
) -> None:
    """What is committed afterwards but was recorded before goes with the next pass, and is never
    offered; then the buffer begins anew."""
    began = datetime.now(UTC) - timedelta(seconds=7)
    disk, other = [await begin_share(ctx, name, began, recording) for name in ("ann", "bob")]
    async with indexing(ctx):
        for each in (disk, other):
            each.commit(3)
            await each.indexed(3)
        span: MediaRange = {
            "session_id": disk.session_id,
            "start_ticks": 0,
            "end_ticks": 9 * SECOND,
        }
        await pins.pin(ctx.store, "capture", [span], datetime.now(UTC) + timedelta(minutes=1))
        assert not await erase(ctx, disk, began + timedelta(seconds=7))
        assert await disk.rows() == []
        assert disk.files("*.m4s") == []
        assert await ctx.store.rows(Pin).count_documents({}) == 0
        disk.commit(1)  # the seconds from 6 to 8: the first of them were recorded before
        await disk.indexed(1)
        assert (await told(ctx, disk)).spans == ()
        assert not await erasure.erase(ctx, disk.buffer_id)
        assert await disk.rows() == []
        disk.commit(1)
        await disk.indexed(1)
        later: MediaRange = {
            "session_id": disk.session_id,
            "start_ticks": 8 * SECOND,
            "end_ticks": 9 * SECOND,
        }
        await pins.pin(ctx.store, "capture", [later], datetime.now(UTC) + timedelta(minutes=1))
        assert await promised(ctx, disk)
        assert await erasure.erase(ctx, disk.buffer_id)
        assert not await promised(ctx, disk)
    assert [row["sequence"] for row in await disk.rows()] == [4]
    assert [span.start_ticks for span in (await told(ctx, disk)).spans] == [8 * SECOND]
    assert await ctx.store.rows(Pin).count_documents({}) == 1
    assert len(await other.rows()) == 3


async def test_of_a_share_that_is_over_nothing_is_left_on_the_disk(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(5)
        await disk.indexed(5)
    await disk.change(ended_at=datetime.now(UTC), indexing=None, role=None)
    assert await erase(ctx, disk)
    assert not any(folder.exists() for folder in disk.folders)
    assert await ctx.store.rows(EgressSession).find_one({}) is None
    assert await erasure.erase(ctx, disk.buffer_id)
    assert await erasure.erase(ctx, "unknown")


async def test_an_egress_that_is_ending_is_erased_to_its_last_segment(
    ctx: Context, share: BeginShare, recording: Recording
) -> None:
    """And one that begins afterwards is none of it."""
    disk = await share()
    async with indexing(ctx):
        disk.commit(2)
        await disk.indexed(2)
        assert not await erase(ctx, disk)
        disk.commit(1)
        disk.egress.end()
        await disk.change(ended_at=datetime.now(UTC), role=None, status="EGRESS_COMPLETE")
        again = await begin_share(
            ctx, "ann", datetime.now(UTC), recording, buffer_id=disk.buffer_id
        )
        again.commit(2)
        await again.indexed(2)
        await disk.read_to_the_end()
    assert await erasure.erase(ctx, disk.buffer_id)
    assert not any(folder.exists() for folder in disk.folders)
    assert len(await again.rows()) == 2
    assert (await told(ctx, again)).session_ids == (again.session_id,)


class Killed(Exception):
    """The process died here."""


async def test_a_pin_that_comes_while_a_share_is_erased_neither_keeps_it_nor_alarms(
    ctx: Context, share: BeginShare
) -> None:
    """As of a watcher whose request was let in just before: the doctor finds nothing wrong."""
    disk = await share()
    async with indexing(ctx):
        disk.commit(3)
        await disk.indexed(3)
    now = datetime.now(UTC)
    await erasure.promise(ctx.store, disk.buffer_id, now)
    await erasure.hide(ctx, disk.buffer_id, now)
    span: MediaRange = {"session_id": disk.session_id, "start_ticks": 0, "end_ticks": 9 * SECOND}
    await pins.pin(ctx.store, "watch", [span], now + timedelta(minutes=1))

    async def killed(_: str) -> None:
        raise Killed

    rows = await ctx.store.rows(Segment).find({"session_id": disk.session_id}).to_list(None)
    with pytest.raises(Killed):
        await removal.remove(ctx, rows, in_spite_of_pins=True, reached=killed)
    assert [each async for each in violations(ctx, now)] == []
    # Without the sharer's word, the same rows are a fault.
    of_buffer = {"_id": disk.buffer_id}
    await ctx.store.rows(Buffer).update_one(of_buffer, {"$set": {"forget_before": None}})
    assert [each.invariant async for each in violations(ctx, now)] == [3, 3, 3]
    await erasure.promise(ctx.store, disk.buffer_id, now)
    await erasure.erase(ctx, disk.buffer_id)
    assert await disk.rows() == []
    assert disk.files("*.m4s") == []
