"""The last part of a share goes at once, for good; what is before and after it stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.buffer import markers, pins
from app.cleaning import cleanup, part_erasure
from app.cleaning.buffer_invariants import violations
from app.context import Context
from app.models import ErasedRange, MediaRange
from app.models.schema import Buffer, Marker, Segment
from app.viewing import stored_timelines, windows
from app.viewing.timeline import Timeline
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.media_factory import Recording

SECOND = 90_000
STEPS = ("hidden", "unlinked", "forgotten")


class Killed(Exception):
    """The process died here."""


async def told(ctx: Context, disk: DiskShare) -> Timeline:
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    return found


async def ranges(ctx: Context, disk: DiskShare) -> list[ErasedRange]:
    row = await ctx.store.rows(Buffer).find_one({"_id": disk.buffer_id})
    assert row is not None
    return row["forget_ranges"]


async def promised(ctx: Context, disk: DiskShare, since: float, until: float) -> None:
    """As after its captures were ended."""
    start, end = (disk.start + timedelta(seconds=each) for each in (since, until))
    part = await part_erasure.promise(ctx.store, disk.buffer_id, start, end)
    await part_erasure.note_captures_ended(ctx.store, disk.buffer_id, part)


async def goes_on(ctx: Context, disk: DiskShare) -> None:
    await part_erasure.erase(ctx, disk.buffer_id, await ranges(ctx, disk))


async def test_a_part_goes_pinned_or_not_with_what_is_committed_late(
    ctx: Context, recording: Recording
) -> None:
    began = datetime.now(UTC) - timedelta(seconds=7)
    disk = await begin_share(ctx, "ann", began, recording)
    async with indexing(ctx):
        disk.commit(3)
        await disk.indexed(3)
        assert all(row["levels"] for row in await disk.rows())
        span: MediaRange = {
            "session_id": disk.session_id,
            "start_ticks": 0,
            "end_ticks": 9 * SECOND,
        }
        await pins.pin(ctx.store, "watch", [span], datetime.now(UTC) + timedelta(minutes=1))
        inside = await markers.make(
            ctx, disk.buffer_id, began + timedelta(seconds=4.5), "password", "bob"
        )
        outside = await markers.make(
            ctx, disk.buffer_id, began + timedelta(seconds=1), "goal", "bob"
        )
        await promised(ctx, disk, 4.2, 7)
        assert [each.end_ticks for each in (await told(ctx, disk)).spans] == [4.2 * SECOND]
        await goes_on(ctx, disk)
        assert disk.files("*.m4s") == ["00000000.m4s", "00000001.m4s"]
        ids = [row["_id"] async for row in ctx.store.rows(Marker).find({})]
        assert inside["_id"] not in ids
        assert outside["_id"] in ids
        assert await ranges(ctx, disk) != []  # the seconds from 6 on are still to come
        disk.commit(1)
        await disk.indexed(4)
        (rows,) = await windows.segments(ctx.store, [span])
        assert [row["sequence"] for row in rows] == [0, 1]
        assert [each.end_ticks for each in (await told(ctx, disk)).spans] == [4 * SECOND]
        disk.commit(1)
        await disk.indexed(5)
        await goes_on(ctx, disk)
        assert await ranges(ctx, disk) == []
        assert disk.files("*.m4s") == ["00000000.m4s", "00000001.m4s", "00000004.m4s"]
    line = await told(ctx, disk)
    assert [(each.start_ticks, each.end_ticks) for each in line.spans] == [
        (0, 4 * SECOND),
        (8 * SECOND, 10 * SECOND),
    ]
    assert [gap.why for gap in line.gaps] == ["deleted"]
    gone = [row for row in await disk.rows() if row["fault"] == "deleted"]
    assert [(row["samples"], row["levels"]) for row in gone] == [(b"", b"")] * 2
    assert [each async for each in violations(ctx, datetime.now(UTC))] == []


@pytest.mark.parametrize("step", STEPS)
async def test_whoever_is_killed_leaves_the_rest_to_the_next_pass(
    ctx: Context, recording: Recording, step: str
) -> None:
    disk = await begin_share(ctx, "ann", datetime.now(UTC) - timedelta(seconds=11), recording)

    async def killed(reached: str) -> None:
        if reached == step:
            raise Killed

    async with indexing(ctx):
        disk.commit(5)
        await disk.indexed(5)
        await promised(ctx, disk, 4.2, 6)
        with pytest.raises(Killed):
            await part_erasure.erase(ctx, disk.buffer_id, await ranges(ctx, disk), reached=killed)
        assert [gap.why for gap in (await told(ctx, disk)).gaps] == ["deleted"]
        await goes_on(ctx, disk)
    assert await ranges(ctx, disk) == []
    assert disk.files("*.m4s") == ["00000000.m4s", "00000001.m4s", "00000003.m4s", "00000004.m4s"]
    assert [each async for each in violations(ctx, datetime.now(UTC))] == []


async def test_an_indexer_that_comes_back_brings_nothing_back(
    ctx: Context, recording: Recording
) -> None:
    """Though the `.ts` of what was deleted is still there: its indexer died before it unlinked."""
    disk = await begin_share(ctx, "ann", datetime.now(UTC) - timedelta(seconds=11), recording)
    async with indexing(ctx):
        disk.commit(5)
        await disk.indexed(5)
    await promised(ctx, disk, 2.5, 3.5)
    await goes_on(ctx, disk)
    left = disk.folder / disk.egress.names[1]
    left.write_bytes(recording.segments[1].path.read_bytes())
    async with indexing(ctx):
        disk.commit(1)
        await disk.indexed(6)
    assert not left.exists()
    assert "00000001.m4s" not in disk.files("*.m4s")
    row = await ctx.store.rows(Segment).find_one({"session_id": disk.session_id, "sequence": 1})
    assert row is not None
    assert (row["state"], row["fault"]) == ("quarantined", "deleted")


async def test_a_gap_that_a_playlist_dates_ahead_ends_no_promise(
    ctx: Context, recording: Recording
) -> None:
    """What was recorded before the word, and comes after that gap, goes all the same."""
    disk = await begin_share(ctx, "ann", datetime.now(UTC) - timedelta(seconds=7), recording)
    async with indexing(ctx):
        disk.commit(3)
        await disk.indexed(3)
        now = disk.egress.now
        disk.egress.now += timedelta(hours=6)
        disk.egress.commit(b"no media", 2.0)
        await disk.indexed(4)
        await promised(ctx, disk, 4.2, 7)
        await goes_on(ctx, disk)
        assert await ranges(ctx, disk) != []
        disk.egress.now, media = now, recording.segments[3]
        disk.egress.commit(media.path.read_bytes(), media.extinf_seconds)
        await disk.indexed(5)
        media = recording.segments[4]
        disk.egress.commit(media.path.read_bytes(), media.extinf_seconds)
        await disk.indexed(6)
        await goes_on(ctx, disk)
    assert [row["fault"] for row in await disk.rows()] == [
        None, None, "deleted", "unreadable", "deleted", None
    ]  # fmt: skip
    assert await ranges(ctx, disk) == []


async def test_its_rows_go_with_their_age(ctx: Context, recording: Recording) -> None:
    disk = await begin_share(ctx, "ann", datetime.now(UTC) - timedelta(seconds=7), recording)
    async with indexing(ctx):
        disk.commit(3)
        await disk.indexed(3)
    await promised(ctx, disk, 0, 1)
    await goes_on(ctx, disk)
    long_ago = {"$set": {"end": datetime.now(UTC) - timedelta(hours=3)}}
    await ctx.store.rows(Segment).update_one({"fault": "deleted"}, long_ago)
    await cleanup.run(ctx)
    assert [row["sequence"] for row in await disk.rows()] == [1, 2]
