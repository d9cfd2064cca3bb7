"""Cleanup, the governor and what they must never touch, on real files and rows."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.buffer import pins
from app.cleaning import cleanup, erasure, governor, part_erasure, strays
from app.cleaning.buffer_invariants import violations
from app.cleaning.removal import FIELDS, remove
from app.context import Context
from app.models import CaptureStatus, MediaRange
from app.models.schema import Buffer, Capture, Community, EgressSession, Pin, Segment, Summary
from app.viewing import stored_timelines
from tests.integration.buffer.shares import BeginShare, DiskShare, indexing
from tests.integration.conftest import MakeSettings
from tests.integration.storage.test_root_away import unmounted
from tests.rows import PartOfRow

SECOND = 90_000


async def problems(ctx: Context) -> list[str]:
    """Violations of the invariants as they will be seen in two minutes."""
    later = datetime.now(UTC) + timedelta(minutes=2)
    return [each.detail async for each in violations(ctx, later)]


async def index(ctx: Context, *shares: DiskShare, count: int = 5) -> None:
    async with indexing(ctx):
        for disk in shares:
            disk.commit(count)
            await disk.indexed(count)


async def make_old(ctx: Context, disk: DiskShare, sequences: range) -> None:
    """These segments ended 13 minutes ago."""
    for sequence in sequences:
        await ctx.store.rows(Segment).update_one(
            {"_id": f"{disk.session_id}:{sequence}"},
            {"$set": {"end": datetime.now(UTC) - timedelta(minutes=13)}},
        )


async def sequences(disk: DiskShare) -> list[int]:
    return [row["sequence"] for row in await disk.rows()]


def age(path: Path, hours: float = 2) -> None:
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))


async def end(disk: DiskShare) -> None:
    """The egress ended and was read to its end a while ago."""
    ended_at = datetime.now(UTC) - timedelta(minutes=2)
    await disk.change(ended_at=ended_at, indexing=None, role=None, status="EGRESS_COMPLETE")


async def test_old_segments_go_with_file_and_row_and_the_rest_stays(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    await make_old(ctx, disk, range(2))
    await cleanup.run(ctx)
    assert await sequences(disk) == [2, 3, 4]
    assert disk.files("*.m4s") == ["00000002.m4s", "00000003.m4s", "00000004.m4s"]
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    assert [span.start_ticks for span in found.spans] == [4 * SECOND]
    assert await problems(ctx) == []


async def test_the_newest_segment_of_a_live_session_never_goes(
    ctx: Context, share: BeginShare
) -> None:
    live, over = await share("live"), await share("over")
    await index(ctx, live, over)
    await end(over)
    await make_old(ctx, live, range(5))
    await make_old(ctx, over, range(5))
    await cleanup.run(ctx)
    assert await sequences(live) == [4]
    assert await sequences(over) == []


async def test_a_pinned_segment_stays_until_its_pin_ends(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    await index(ctx, disk)
    await make_old(ctx, disk, range(4))
    now = datetime.now(UTC)
    span: MediaRange = {
        "session_id": disk.session_id,
        "start_ticks": 3 * SECOND,
        "end_ticks": 4 * SECOND,
    }
    await pins.pin(ctx.store, "capture", [span], now + timedelta(minutes=1))
    await cleanup.run(ctx)
    assert await sequences(disk) == [1, 4]
    assert (await disk.rows())[0]["state"] == "indexed"
    assert await problems(ctx) == []
    await pins.release(ctx.store, "capture")
    await cleanup.run(ctx)
    assert await sequences(disk) == [4]


@pytest.mark.edge("cleanup, the share's end, a killed worker during a capture")
async def test_a_pin_that_comes_while_a_segment_is_condemned_spares_it(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    rows = await disk.rows()
    span: MediaRange = {"session_id": disk.session_id, "start_ticks": 0, "end_ticks": 1 * SECOND}
    until = datetime.now(UTC) + timedelta(minutes=1)
    pin = Pin(id="p", owner="capture", until=until, **span)

    async def remove_with_a_late_pin() -> int:
        steps = remove_in_steps(ctx, disk)
        assert await anext(steps) == "condemned"
        assert [row["state"] for row in await disk.rows()] == ["marked"] * 5
        await ctx.store.create(pin)
        return len([step async for step in steps])

    await remove_with_a_late_pin()
    kept = await disk.rows()
    assert [row["sequence"] for row in kept] == [0]
    assert kept[0] == rows[0]  # indexed, as before
    assert (disk.fragments / kept[0]["name"]).exists()


async def remove_in_steps(ctx: Context, disk: DiskShare) -> AsyncIterator[str]:
    """A removal that stops after each step until the next is asked for."""
    reached: asyncio.Queue[str] = asyncio.Queue()
    go = asyncio.Event()

    async def pause(step: str) -> None:
        reached.put_nowait(step)
        await go.wait()
        go.clear()

    rows = await ctx.store.rows(Segment).find({"session_id": disk.session_id}, FIELDS).to_list(None)
    task = asyncio.create_task(remove(ctx, rows, reached=pause))
    for _ in range(3):
        yield await reached.get()
        go.set()
    await task


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", ["condemned", "unlinked"])
async def test_a_removal_that_crashed_at_any_step_is_finished_by_the_next_pass(
    ctx: Context, share: BeginShare, step: str
) -> None:
    disk = await share()
    await index(ctx, disk)
    await make_old(ctx, disk, range(3))
    rows = await ctx.store.rows(Segment).find({"sequence": {"$lt": 3}}, FIELDS).to_list(None)

    async def crash(reached: str) -> None:
        if reached == step:
            raise Crash

    with pytest.raises(Crash):
        await remove(ctx, rows, reached=crash)
    assert len(await disk.rows()) == 5
    await cleanup.run(ctx)
    assert await sequences(disk) == [3, 4]
    assert disk.files("*.m4s") == ["00000003.m4s", "00000004.m4s"]
    assert await problems(ctx) == []


async def test_a_session_that_is_over_goes_with_its_folder_once_its_media_is_gone(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    await end(disk)
    (disk.folder / "unnamed.ts").write_bytes(b"what a dead egress left")
    await cleanup.run(ctx)
    assert disk.folder.exists()
    await make_old(ctx, disk, range(5))
    await cleanup.run(ctx)
    assert not any(folder.exists() for folder in disk.folders)
    assert await ctx.store.rows(EgressSession).find_one({}) is None
    assert await ctx.store.rows(Summary).find_one({}) is None
    assert await ctx.store.rows(Buffer).find_one({}) is not None
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await ctx.store.rows(Buffer).update_one({}, {"$set": {"ended_at": long_ago}})
    await cleanup.run(ctx)
    assert await ctx.store.rows(Buffer).find_one({}) is None


async def test_a_buffer_that_a_capture_still_needs_stays(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await ctx.store.rows(EgressSession).delete_one({"_id": disk.session_id})
    await ctx.store.rows(Buffer).update_one({}, {"$set": {"ended_at": long_ago}})
    times: dict[str, Any] = dict.fromkeys(
        ("requested_start", "requested_end", "window_start", "window_end", "wait_until"), long_ago
    )
    capture = Capture(
        id="c", clip_id="k", buffer_id=disk.buffer_id, caller="ann", room="room", room_sid="RM",
        identity="ann", status=CaptureStatus.QUEUED,
        accepted_at=long_ago, **times,
    )  # fmt: skip
    await ctx.store.create(capture)
    await cleanup.run(ctx)
    assert await ctx.store.rows(Buffer).find_one({}) is not None
    await ctx.store.rows(Capture).update_one({"_id": "c"}, {"$set": {"status": "ready"}})
    await cleanup.run(ctx)
    assert await ctx.store.rows(Buffer).find_one({}) is None


async def test_a_ghosts_row_outlives_its_media(ctx: Context, share: BeginShare) -> None:
    """LiveKit goes on listing it as active: without its row it would be stopped again and again."""
    disk = await share()
    await end(disk)
    await disk.change(ghost_at=datetime.now(UTC) - timedelta(days=1))
    await cleanup.run(ctx)
    assert not any(folder.exists() for folder in disk.folders)
    assert await disk.session()
    await disk.change(ghost_at=datetime.now(UTC) - timedelta(days=8))
    await cleanup.run(ctx)
    assert await ctx.store.rows(EgressSession).find_one({}) is None


async def test_a_community_may_keep_its_media_longer_or_shorter(
    ctx: Context, share: BeginShare
) -> None:
    """All segments are 1 minute old, or 13; RETENTION_MINUTES is 12."""
    await ctx.store.create(Community(id="long", retention_minutes=60))
    await ctx.store.create(Community(id="short", retention_minutes=0.5))
    shares = {name: await share(name) for name in ("long", "short", "default")}
    await index(ctx, *shares.values())
    now = datetime.now(UTC)
    for name, disk in shares.items():
        community = {"$set": {"community": name}}
        await ctx.store.rows(Buffer).update_one({"_id": disk.buffer_id}, community)
        await make_old(ctx, disk, range(2))
    await cleanup.run(ctx)
    assert await sequences(shares["long"]) == [0, 1, 2, 3, 4]
    assert await sequences(shares["default"]) == [2, 3, 4]
    assert await sequences(shares["short"]) == [4]  # the newest of a live session
    found = await stored_timelines.read(ctx.store, shares["short"].buffer_id, now, ctx.settings)
    assert found is not None
    assert found.spans == ()


async def test_a_stopped_share_is_known_as_long_as_its_community_keeps_media(
    ctx: Context, share: BeginShare
) -> None:
    """Its sharer may come again until then, and it stays stopped. RETENTION_MINUTES is 12."""
    await ctx.store.create(Community(id="long", retention_minutes=60))
    disk, buffers = await share(), ctx.store.rows(Buffer)
    await ctx.store.rows(EgressSession).delete_many({})
    for minutes, is_kept in ((13, True), (61, False)):
        ended_at = datetime.now(UTC) - timedelta(minutes=minutes)
        said = {"community": "long", "ended_at": ended_at, "stops": {"sharer": ""}}
        await buffers.update_one({"_id": disk.buffer_id}, {"$set": said})
        await cleanup.run(ctx)
        assert (await buffers.find_one({}) is not None) is is_kept


async def test_many_old_segments_go_in_one_pass(ctx: Context, share: BeginShare) -> None:
    """More than are handled at once, while rows are being read on."""
    disk = await share()
    await index(ctx, disk)
    row = (await disk.rows())[0]
    old = {"end": datetime.now(UTC) - timedelta(minutes=13)}
    rows: list[PartOfRow] = [
        row | old | {"_id": f"{disk.session_id}:{each}", "sequence": each, "name": f"{each}.m4s"}
        for each in range(1000, 1350)
    ]
    await ctx.store.rows(Segment).insert_many(rows)
    await end(disk)
    await cleanup.run(ctx)
    assert await sequences(disk) == [0, 1, 2, 3, 4]


async def test_unknown_files_go_after_a_safe_age_and_known_ones_never(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    unnamed = disk.egress.write_segment(*disk.next_segment())
    known = {path for folder in disk.folders for path in folder.iterdir()}
    for path in known:
        age(path)
    for folder in disk.folders:
        for name in ("00000099.m4s", "left.part", "strange.txt"):
            (folder / name).write_bytes(b"?")
            age(folder / name)
        (folder / "young.txt").write_bytes(b"?")
    # What belongs into the one folder has no business in the other.
    shutil.copy2(disk.fragments / "00000001.m4s", disk.folder)
    shutil.copy2(disk.folder / "live.m3u8", disk.fragments)
    for path in (disk.folder / "00000001.m4s", disk.fragments / "live.m3u8"):
        age(path)
    assert len(await problems(ctx)) == 10
    await cleanup.run(ctx)
    left = {path for folder in disk.folders for path in folder.iterdir()}
    assert left == known | {folder / "young.txt" for folder in disk.folders}
    assert unnamed in known


async def test_what_a_killed_writer_left_is_no_violation_until_cleanup_should_have_removed_it(
    ctx: Context, share: BeginShare
) -> None:
    """A doctor beside a service that was killed while it drew a picture finds nothing wrong."""
    disk = await share()
    await index(ctx, disk)
    left = disk.fragments / "00000001.jpg.3f97e03c.part"
    left.write_bytes(b"?")
    assert await problems(ctx) == []
    age(left)
    assert len(await problems(ctx)) == 1
    await cleanup.run(ctx)
    assert await problems(ctx) == []


async def test_folders_of_forgotten_sessions_go_and_other_installations_stay(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk, count=5)
    ours = disk.folder.parent / f"{ctx.instance}-{'a' * 24}"
    theirs = disk.folder.parent / f"{'0' * 8}-{'a' * 24}"
    for folder in (ours, theirs, disk.folder.parent.parent / "empty-user"):
        folder.mkdir()
        if folder.name != "empty-user":
            (folder / "00000000.m4s").write_bytes(b"?")
            age(folder / "00000000.m4s")
    await cleanup.run(ctx)
    assert list(ours.iterdir()) == []
    age(ours)
    age(disk.folder.parent.parent / "empty-user")
    await cleanup.run(ctx)
    assert not ours.exists()
    assert (theirs / "00000000.m4s").exists()
    assert not (disk.folder.parent.parent / "empty-user").exists()


@pytest.mark.edge("rows without files, files without rows")
async def test_a_repair_that_would_take_more_than_half_of_everything_stops_and_asks(
    ctx: Context, share: BeginShare
) -> None:
    """As with the wrong database: nothing on disk is known."""
    disk = await share()
    await index(ctx, disk)
    for path in (path for folder in disk.folders for path in folder.iterdir()):
        age(path)
    for model in (EgressSession, Segment, Summary):
        await ctx.store.database[+model].delete_many({})
    before = disk.files()
    settled = await strays.settle(ctx, datetime.now(UTC))
    assert settled.asks
    assert disk.files() == before
    settled = await strays.settle(ctx, datetime.now(UTC), confirmed=True)
    assert settled.removed == len(before)
    assert disk.files() == []


async def test_what_egress_leaves_is_no_reason_to_ask(ctx: Context, share: BeginShare) -> None:
    """However many files it leaves, what nobody knows goes: theirs and ours."""
    eve, ann = await share("eve"), await share("ann")
    await index(ctx, eve, ann)
    for path in (
        *(eve.folder / f"x{number}.ts.bad" for number in range(200)),
        ann.fragments / "00000099.m4s",
    ):
        path.write_bytes(b"?")
        age(path)
    settled = await strays.settle(ctx, datetime.now(UTC))
    assert (settled.removed, settled.asks) == (201, False)
    assert await problems(ctx) == []


async def test_rows_of_what_egress_lets_nobody_delete_go(ctx: Context, share: BeginShare) -> None:
    """They would be the first of each pass: what there are files of is a stray's matter."""
    disk = await share()
    await index(ctx, disk)
    for sequence in range(3):
        await ctx.store.rows(Segment).update_one(
            {"_id": f"{disk.session_id}:{sequence}"},
            {"$set": {"name": f"s{sequence}.ts.bad", "fault": "corrupt", "state": "quarantined"}},
        )
    await make_old(ctx, disk, range(3))
    disk.folder.rename(disk.folder.with_name("elsewhere"))
    disk.folder.symlink_to("elsewhere")  # nothing is removed through it
    await cleanup.run(ctx)
    assert await sequences(disk) == [3, 4]


async def test_a_folder_in_place_of_a_segment_is_not_emptied_with_the_rows_of_others(
    ctx: Context, share: BeginShare
) -> None:
    """However much is in it: it is a stray from then on."""
    disk = await share()
    await index(ctx, disk)
    name = "s0.ts.bad"
    first = {"_id": f"{disk.session_id}:0"}
    await ctx.store.rows(Segment).update_one(
        first, {"$set": {"name": name, "fault": "corrupt", "state": "quarantined"}}
    )
    (disk.folder / name / "a lot").mkdir(parents=True)
    await make_old(ctx, disk, range(3))
    await cleanup.run(ctx)
    assert await sequences(disk) == [3, 4]
    assert (disk.folder / name / "a lot").exists()
    age(disk.folder / name)
    await cleanup.run(ctx)
    assert not (disk.folder / name).exists()


@pytest.mark.edge("rows without files, files without rows")
async def test_rows_whose_files_are_gone_become_gaps(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    await index(ctx, disk)
    (disk.fragments / "00000002.m4s").unlink()
    assert len(await problems(ctx)) == 1
    await cleanup.run(ctx)
    assert (await disk.rows())[2]["fault"] == "missing"
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    assert [gap.why for gap in found.gaps] == ["missing"]
    assert len(found.spans) == 2
    assert await problems(ctx) == []


async def test_a_disk_that_is_not_there_makes_no_gaps(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    await index(ctx, disk)
    away = disk.fragments.with_name("away")
    disk.fragments.rename(away)
    assert (await strays.settle(ctx, datetime.now(UTC))).asks
    away.rename(disk.fragments)
    assert {row["state"] for row in await disk.rows()} == {"indexed"}
    assert await problems(ctx) == []


@pytest.mark.edge("a disk nearly full")
async def test_when_space_is_short_the_fullest_buffers_lose_first(
    make_settings: MakeSettings, ctx: Context, share: BeginShare
) -> None:
    full, less = await share("full"), await share("less")
    async with indexing(ctx):
        full.commit(10)
        less.commit(3)
        await full.indexed(10)
        await less.indexed(3)
    assert not await governor.refuse_new(ctx)
    no_space = make_settings(free_space_min_bytes=2**62)
    short = replace(ctx, settings=no_space)
    assert await governor.refuse_new(short)
    span: MediaRange = {"session_id": full.session_id, "start_ticks": 0, "end_ticks": 1 * SECOND}
    await pins.pin(ctx.store, "capture", [span], datetime.now(UTC) + timedelta(minutes=1))
    await governor.relieve(short)
    assert await sequences(full) == [0, 9]  # pinned, and the newest
    assert await sequences(less) == [2]
    assert await problems(ctx) == []


@pytest.mark.edge("a disk nearly full")
async def test_windows_shrink_only_until_there_is_enough_space(
    make_settings: MakeSettings, ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    enough = make_settings(free_space_min_bytes=1)
    assert await governor.relieve(replace(ctx, settings=enough)) == 0
    assert len(await disk.rows()) == 5


async def test_of_a_disk_that_is_away_nothing_is_deleted_and_it_is_told_once(
    make_settings: MakeSettings, ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    await index(ctx, disk)
    short = replace(ctx, settings=make_settings(free_space_min_bytes=2**62))
    now = datetime.now(UTC)
    part = await part_erasure.promise(ctx.store, disk.buffer_id, now - timedelta(hours=1), now)
    await erasure.promise(ctx.store, disk.buffer_id, now)
    with capture_logs() as told, unmounted(ctx.settings.media_root):
        for _ in range(2):
            assert await governor.relieve(short) == 0
            assert not await erasure.erase(ctx, disk.buffer_id)
            await part_erasure.erase(ctx, disk.buffer_id, [part])
    assert [row["state"] for row in await disk.rows()] == ["indexed"] * 5
    assert [each["event"] for each in told] == ["media_root_away"]
    await erasure.erase(ctx, disk.buffer_id)
    assert await disk.rows() == []
