"""What is marked outlives retention, whoever dies when; nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.buffer import clock, marked_ranges, markers
from app.buffer.markers import TooManyMarkers
from app.cleaning import cleanup, erasure
from app.context import Context
from app.models.schema import Buffer, EgressSession, Marker, Pin
from tests.integration.buffer.shares import BeginShare, DiskShare, begin_share
from tests.integration.captures.mortal import Mortal, mortal
from tests.integration.cleaning.test_cleanup import index, make_old, problems, sequences

SECOND = 90_000
MOST_STEPS = 10


async def count(ctx: Context) -> tuple[int, int]:
    """How many markers and how many pins there are."""
    rows = [ctx.store.rows(model) for model in (Marker, Pin)]
    return await rows[0].count_documents({}), await rows[1].count_documents({})


async def mark(ctx: Context, disk: DiskShare, seconds: float) -> str:
    """Marks the moment so many seconds after the share's start."""
    at = disk.start + timedelta(seconds=seconds)
    return str((await markers.make(ctx, disk.buffer_id, at, "", "ann"))["_id"])


async def test_who_is_killed_between_row_and_pin_has_marked_all_the_same(
    ctx: Context, share: BeginShare
) -> None:
    """Cleanup makes the missing pin before it deletes anything; when the mark is over, all goes."""
    disk = await share(age=80)
    await index(ctx, disk)
    at = (disk.start + timedelta(seconds=65)).isoformat()
    async with mortal() as program:
        worker = Mortal(program, ctx.settings)
        for step in range(MOST_STEPS):
            killed = await worker.act("mark", disk.buffer_id, at, die_at=step)
            if await count(ctx) != (0, 0):
                break
    assert killed
    assert await count(ctx) == (1, 0)
    await make_old(ctx, disk, range(5))
    await cleanup.run(ctx)
    assert await sequences(disk) == [2, 3, 4]  # from 5 s on
    assert await count(ctx) == (1, 1)
    assert await problems(ctx) == []
    over = datetime.now(UTC) - timedelta(seconds=1)
    await ctx.store.rows(Marker).update_many({}, {"$set": {"kept_until": over}})
    await ctx.store.rows(Pin).update_many({}, {"$set": {"until": over}})
    await cleanup.run(ctx)
    assert await sequences(disk) == [4]
    assert (await count(ctx))[0] == 0


async def test_a_moment_that_is_marked_again_is_kept_no_longer(
    ctx: Context, share: BeginShare
) -> None:
    """Nor is what is marked beside it: nothing stays longer than its own mark could keep it."""
    disk = await share(age=80)
    await index(ctx, disk)
    for seconds in (20, 20, 34, 20):
        await mark(ctx, disk, seconds)
    kept = timedelta(minutes=ctx.settings.marker_minutes)
    async for row in ctx.store.rows(Marker).find({}):
        assert row["kept_until"] == row["at"] + kept
    async for pin in ctx.store.rows(Pin).find({}):
        begin = clock.wall(clock.of(await disk.session()), pin["start_ticks"])
        assert pin["until"] <= begin + marked_ranges.BEFORE + kept + timedelta(milliseconds=1)


async def test_a_persons_markers_are_so_many_in_all_buffers(
    ctx: Context, share: BeginShare
) -> None:
    """Those of others, and those that are over, don't count."""
    disks = await share("ann"), await share("bob")
    await index(ctx, *disks, count=1)
    for number in range(markers.AT_MOST_OF_ONE):
        await mark(ctx, disks[number % 2], 50)
    for disk in disks:
        with pytest.raises(TooManyMarkers, match="in all buffers") as found:
            await mark(ctx, disk, 50)
        assert found.value.extra == {"limit": markers.AT_MOST_OF_ONE}
    await markers.make(ctx, disks[0].buffer_id, disks[0].start, "", "bob")
    over = datetime.now(UTC) - timedelta(seconds=1)
    of_other = {"buffer_id": disks[1].buffer_id}
    await ctx.store.rows(Marker).update_one(of_other, {"$set": {"kept_until": over}})
    await mark(ctx, disks[0], 50)


async def test_a_session_that_comes_after_the_mark_is_kept_too(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(age=100)
    await index(ctx, disk)
    marker_id = await mark(ctx, disk, 50)
    again = await begin_share(
        ctx, "ann", disk.start + timedelta(seconds=60), disk.media, buffer_id=disk.buffer_id,
        role="next",
    )  # fmt: skip
    later = await begin_share(ctx, "bob", disk.start, disk.media)
    await markers.pin_again(ctx.store, datetime.now(UTC))
    pins = await ctx.store.rows(Pin).find({}).to_list(None)
    found = {row["session_id"]: (row["start_ticks"], row["end_ticks"]) for row in pins}
    assert found == {
        disk.session_id: (0, 65 * SECOND),
        again.session_id: (0, 5 * SECOND),
    }
    assert later.session_id not in found
    await markers.delete(ctx.store, marker_id)
    assert await count(ctx) == (0, 0)


async def test_what_is_forgotten_takes_its_markers_along(ctx: Context, share: BeginShare) -> None:
    """A share that its sharer deletes, and a buffer of which nothing is left."""
    disk, other = await share("ann"), await share("bob")
    await index(ctx, disk, other, count=1)
    for each in (disk, other):
        await mark(ctx, each, 1)
    await ctx.store.rows(Buffer).update_one(
        {"_id": disk.buffer_id}, {"$set": {"forget_before": datetime.now(UTC)}}
    )
    await erasure.erase(ctx, disk.buffer_id)
    left = await ctx.store.rows(Marker).find({}).to_list(None)
    assert [row["buffer_id"] for row in left] == [other.buffer_id]
    await ctx.store.rows(EgressSession).delete_many({})
    ended = datetime.now(UTC) - timedelta(hours=1)
    await ctx.store.rows(Buffer).update_many({}, {"$set": {"ended_at": ended}})
    await cleanup.run(ctx)
    assert (await count(ctx))[0] == 0
