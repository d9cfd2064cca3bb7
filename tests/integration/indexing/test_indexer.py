"""From playlist lines to rows, fragments and nothing else on disk."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.buffer import clock, clock_correction
from app.context import Context
from app.indexing.indexer import Indexer
from app.media.samples import SampleTable
from app.models import Row
from app.models.schema import Segment
from app.settings import Settings
from app.store import Store
from app.viewing import hls, stored_timelines
from app.viewing.timeline import Timeline
from tests.integration.buffer.shares import BeginShare, DiskShare, indexing, nanoseconds
from tests.integration.conftest import MakeSettings
from tests.integration.queued import queued, redis_of
from tests.integration.storage.test_root_away import unmounted
from tests.media_factory import PACKET, MediaFactory, Recording, Shape, stepped
from tests.pace import Pace
from tests.waiting import PATIENCE_SECONDS, wait_for


async def the_timeline(ctx: Context, disk: DiskShare) -> Timeline:
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    return found


async def fastest(disk: DiskShare) -> float:
    """The seconds from commit to row of the fastest of three segments: machines do other things."""
    took = []
    for _ in range(3):
        with Pace() as pace:
            disk.commit(1)
            await disk.indexed(len(disk.egress.lines))
        took.append(pace.fair_seconds)
    return min(took)


def assert_continuous(rows: list[Row]) -> None:
    """Pictures and sound go on from row to row without a gap."""
    tables = [SampleTable.unpack(row["samples"]) for row in rows]
    for left, right in itertools.pairwise(tables):
        assert left.end_pts == right.first_pts
        assert left.end_audio == right.first_audio


async def test_each_named_segment_becomes_a_fragment_with_a_row(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(3)
        rows = await disk.indexed(3)
        await wait_for(lambda: disk.files("*.ts") == [])
    assert [row["sequence"] for row in rows] == [0, 1, 2]
    assert disk.files("*.m4s") == [row["name"] for row in rows]
    assert [row["state"] for row in rows] == ["indexed"] * 3
    assert [row["frames"] for row in rows] == [30] * 3
    assert all(row["audio"] for row in rows)
    assert [row["size_bytes"] for row in rows] == [
        (disk.fragments / row["name"]).stat().st_size for row in rows
    ]
    assert_continuous(rows)
    assert len(disk.files("init-*.mp4")) == 1
    assert disk.files("*.part") == []
    started = disk.start.replace(microsecond=disk.start.microsecond // 1000 * 1000)
    assert rows[1]["start"] == started + timedelta(seconds=2)


async def test_a_segment_that_no_playlist_names_is_not_committed(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    disk.commit(2)
    unnamed = disk.egress.write_segment(*disk.next_segment())
    async with indexing(ctx):
        await disk.indexed(2)
        await wait_for(lambda: disk.files("*.ts") == [unnamed.name])
        disk.egress.name_segments()
        await disk.indexed(3)
        await wait_for(lambda: disk.files("*.ts") == [])


async def test_what_the_live_window_left_out_is_taken_from_full(
    ctx: Context, share: BeginShare
) -> None:
    """The indexer was away for 24 s; live.m3u8 holds the last 5 segments."""
    disk = await share()
    disk.commit(12)
    async with indexing(ctx):
        rows = await disk.indexed(12)
    assert [row["sequence"] for row in rows] == list(range(12))
    assert_continuous(rows)


async def test_what_full_lists_late_is_filled_in_between(ctx: Context, share: BeginShare) -> None:
    """After an hour full.m3u8 is copied more seldom than live.m3u8."""
    disk = await share()
    disk.egress.full_every = 10
    disk.commit(17)  # full: 0 to 9, live: 12 to 16
    async with indexing(ctx):
        rows = await disk.indexed(15)
        assert [row["sequence"] for row in rows] == [*range(10), *range(12, 17)]
        assert [gap.why for gap in (await the_timeline(ctx, disk)).gaps] == ["lost"]
        disk.commit(3)  # full: 0 to 19
        rows = await disk.indexed(20)
        found = await the_timeline(ctx, disk)
        await wait_for(lambda: disk.files("*.ts") == [])
    assert len(found.spans) == 1
    assert found.gaps == ()
    assert found.seconds == pytest.approx(40, abs=0.01)
    again = await the_timeline(ctx, disk)  # the indexer has written its summary
    assert again.spans == found.spans


async def test_a_truncated_segment_is_quarantined_and_stops_nothing(
    ctx: Context, share: BeginShare
) -> None:
    """As egress leaves it when the disk is full: half a file, listed with its full length."""
    disk = await share()
    async with indexing(ctx):
        disk.commit(2)
        media, seconds = disk.next_segment()
        name = disk.egress.commit(media[: len(media) // 3 // 188 * 188], seconds).name
        disk.commit(2)
        rows = await disk.indexed(5)
        found = await the_timeline(ctx, disk)
    assert [row["state"] for row in rows] == ["indexed"] * 2 + ["quarantined"] + ["indexed"] * 2
    assert rows[2]["fault"] == "truncated"
    assert rows[2]["name"] == f"{name}.bad"
    assert (disk.folder / rows[2]["name"]).exists()
    assert rows[2]["start_ticks"] == rows[1]["end_ticks"]
    assert rows[2]["end_ticks"] == rows[3]["start_ticks"]
    assert [gap.why for gap in found.gaps] == ["truncated"]
    assert [span.end_ticks - span.start_ticks for span in found.spans] == [360_000, 360_000]


@pytest.mark.parametrize("content", [b"", b"\0" * 1880, b"not a transport stream" * 50])
async def test_a_file_that_is_no_media_is_quarantined(
    ctx: Context, share: BeginShare, content: bytes
) -> None:
    disk = await share()
    disk.egress.commit(content, 2.0)
    disk.commit()
    async with indexing(ctx):
        rows = await disk.indexed(2)
    assert rows[0]["state"] == "quarantined"
    assert rows[0]["fault"] is not None
    assert rows[1]["state"] == "indexed"


async def test_a_named_segment_that_is_gone_is_a_gap(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    disk.commit(1)
    disk.egress.write_segment(*disk.next_segment()).unlink()
    disk.commit(1)
    async with indexing(ctx):
        rows = await disk.indexed(3)
        assert [gap.why for gap in (await the_timeline(ctx, disk)).gaps] == ["missing"]
    assert rows[1]["fault"] == "missing"


async def test_names_that_lead_elsewhere_are_refused(
    ctx: Context, share: BeginShare, tmp_path: Path
) -> None:
    disk = await share()
    precious = ctx.settings.media_root / "precious.ts"
    precious.write_bytes(disk.media.segments[0].path.read_bytes())
    disk.egress.lines.append(("../../../../precious.ts", "2026-01-01T00:00:00Z", 2.0))
    disk.commit()
    async with indexing(ctx):
        rows = await disk.indexed(1)
    assert [row["sequence"] for row in rows] == [1]
    assert precious.exists()


async def test_final_segments_that_come_after_the_end_are_indexed(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(2)
        await disk.indexed(2)
        await disk.change(ended_at=datetime.now(UTC), role=None, status="EGRESS_COMPLETE")
        disk.commit(2)
        disk.egress.end()
        await disk.read_to_the_end()
        rows = await disk.rows()
        row = await disk.session()
    assert len(rows) == 4
    assert row["indexer"] is None
    assert disk.files("*.ts") == []


async def test_of_an_egress_that_died_only_what_a_playlist_lists_is_indexed(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    disk.commit(2)
    unnamed = disk.egress.write_segment(*disk.next_segment())
    long_ago = time.time() - 30
    for name in ("live.m3u8", "full.m3u8"):
        os.utime(disk.folder / name, (long_ago, long_ago))
    ended_at = datetime.now(UTC) - timedelta(seconds=20)
    await disk.change(ended_at=ended_at, role=None, status="EGRESS_FAILED")
    async with indexing(ctx):
        await disk.read_to_the_end()
    assert len(await disk.rows()) == 2
    assert disk.files("*.ts") == [unnamed.name]


@pytest.mark.edge("segments growing, playlists torn")
async def test_playlists_that_are_empty_for_a_moment_change_nothing(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    disk.commit(2)
    async with indexing(ctx):
        await disk.indexed(2)
        (disk.folder / "live.m3u8").write_bytes(b"")
        (disk.folder / "full.m3u8").write_bytes(b"#EXTM3U\n#EXT-X-MEDIA-SEQ")
        await asyncio.sleep(0.3)  # long enough for the event to be acted upon
        assert len(await disk.rows()) == 2
        disk.commit(1)
        assert len(await disk.indexed(3)) == 3


@pytest.mark.edge("silent file events")
async def test_where_file_events_are_silent_scans_find_everything(
    make_settings: MakeSettings, ctx: Context, share: BeginShare
) -> None:
    polling = replace(ctx, settings=make_settings(watch="poll"))
    disk = await share()
    async with indexing(polling):
        disk.commit(1)
        await disk.indexed(1)
        assert await fastest(disk) < 1.5


@pytest.mark.edge("a playlist that has grown for hours")
async def test_a_listed_segment_that_is_too_old_to_be_offered_is_just_removed(
    ctx: Context, share: BeginShare
) -> None:
    """Nobody indexed for longer than RETENTION_MINUTES; the playlist has grown for hours."""
    disk = await share(age=3600)
    disk.commit(3)
    for name in disk.egress.names:
        written_at = (disk.start + timedelta(seconds=10)).timestamp()
        os.utime(disk.egress.folder / name, (written_at, written_at))
    disk.egress.now = datetime.now(UTC) - timedelta(seconds=30)
    disk.commit(1)
    async with indexing(ctx):
        await disk.indexed(1)
        await wait_for(lambda: disk.files("*.ts") == [])
    assert [row["sequence"] for row in await disk.rows()] == [3]


def commit_stepped(disk: DiskShare, seconds: float) -> None:
    """The next segment, with other times than its egress's playlist goes by."""
    media, length = disk.next_segment()
    disk.egress.commit(stepped(media, round(seconds * clock.TICKS_PER_SECOND)), length)


@pytest.mark.edge("segments of other lengths, steps in time")
@pytest.mark.parametrize("seconds", [-1.5, -60, 40, 7_200])
async def test_a_session_whose_timestamps_step_goes_on_as_if_they_did_not(
    ctx: Context, share: BeginShare, seconds: float
) -> None:
    """And so it does where another indexer goes on with it, who knows of no step."""
    disk = await share(age=9)
    with capture_logs() as told:
        async with indexing(ctx):
            disk.commit(2)
            await disk.indexed(2)
            commit_stepped(disk, seconds)
            await disk.indexed(3)
        async with indexing(ctx):
            commit_stepped(disk, seconds)
            commit_stepped(disk, seconds)
            rows = await disk.indexed(5)
    assert [row["fault"] for row in rows] == [None] * 5
    assert [row["start_ticks"] for row in rows] == list(range(0, 900_000, 180_000))
    assert_continuous(rows)
    assert not (await the_timeline(ctx, disk)).gaps
    steps = [each["pictures_seconds"] for each in told if each["event"] == "timestamps_stepped"]
    assert steps == [seconds] * 2  # once of each indexer


@pytest.mark.edge("segments of other lengths, steps in time")
async def test_a_step_within_a_segment_is_a_gap_of_that_segment(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(age=9)
    async with indexing(ctx):
        disk.commit(2)
        media, length = disk.next_segment()
        half = len(media) // PACKET // 2 * PACKET
        later = stepped(media, 63 * clock.TICKS_PER_SECOND)
        disk.egress.commit(media[:half] + later[half:], length)
        commit_stepped(disk, 61)
        commit_stepped(disk, 61)
        rows = await disk.indexed(5)
        found = await the_timeline(ctx, disk)
    assert [row["fault"] for row in rows] == [None, None, "timestamps", None, None]
    (gap,) = found.gaps
    assert (gap.start, gap.end) == (rows[1]["end"], rows[3]["start"])
    assert abs((gap.end - gap.start).total_seconds() - 2) < 0.01
    listed = hls.playlist([hls.item(row) for row in rows if row["fault"] is None], str, str)
    assert listed.count("#EXT-X-DISCONTINUITY\n") == 1


@pytest.mark.parametrize("off_seconds", [-900, 900])
async def test_of_an_egress_whose_clock_is_off_nothing_is_lost(
    ctx: Context, share: BeginShare, off_seconds: int
) -> None:
    """After sleep, or without NTP: what it dates for long ago was written just now."""
    disk = await share(age=5, clock_ns=None, clock_exact=False)
    disk.egress.now += timedelta(seconds=off_seconds)
    disk.commit(2)
    with capture_logs() as told:
        async with indexing(ctx):
            rows = await disk.indexed(2)
    assert [row["fault"] for row in rows] == [None, None]
    assert abs(rows[-1]["end"] - datetime.now(UTC)) < timedelta(seconds=30)
    (line,) = [each for each in told if each["event"] == "egress_clock_off"]
    assert abs(line["seconds"] - off_seconds) < 30


async def test_of_a_share_whose_disk_is_away_nothing_is_concluded(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(age=60)
    with capture_logs() as told:
        async with indexing(ctx, scan_seconds=0.2):
            disk.commit(2)
            await disk.indexed(2)
            disk.commit(1)
            with unmounted(ctx.settings.media_root):
                await disk.change(ended_at=disk.start, status="EGRESS_COMPLETE")
                await wait_for(lambda: any(each["event"] == "indexing_waits" for each in told))
                assert (await disk.session())["indexing"] is not None
            await disk.read_to_the_end()
    assert [row["sequence"] for row in await disk.rows()] == [0, 1, 2]


async def test_the_clock_is_asked_for_and_waited_for(ctx: Context, share: BeginShare) -> None:
    disk = await share(clock_ns=None, clock_exact=False)
    async with indexing(ctx):
        disk.commit(1)

        async def asked() -> bool:
            async with redis_of(ctx) as redis:
                return bool(await redis.keys(f"arq:job:learn_clock:{disk.session_id}*"))

        await wait_for(asked)
        assert await disk.rows() == []
        await clock_correction.correct(ctx.store, disk.session_id, nanoseconds(disk.start))
        (row,) = await disk.indexed(1)
    assert row["start"] == clock.wall(nanoseconds(disk.start), 0)


async def test_program_date_time_stands_in_until_the_clock_is_known(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(clock_ns=None, clock_exact=False)
    async with indexing(ctx):
        disk.commit(2)
        rows = await disk.indexed(2)
        assert abs(rows[0]["start"] - disk.start) < timedelta(milliseconds=20)  # 1.7 s late by luck
        assert (await the_timeline(ctx, disk)).clock == "approximate"
        exact = nanoseconds(disk.start + timedelta(seconds=0.4))
        await clock_correction.correct(ctx.store, disk.session_id, exact)
        disk.commit(1)
        rows = await disk.indexed(3)
    assert [row["start"] for row in rows] == [clock.wall(exact, row["start_ticks"]) for row in rows]
    assert [row["end"] for row in rows] == [clock.wall(exact, row["end_ticks"]) for row in rows]
    assert (await the_timeline(ctx, disk)).clock == "exact"


async def test_a_clock_is_corrected_once_and_an_interrupted_correction_is_finished(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(clock_exact=False)
    disk.commit(2)
    async with indexing(ctx):
        await disk.indexed(2)
    exact = nanoseconds(disk.start) + 250_000_000
    await disk.change(clock_ns=exact)  # as an interrupted correction leaves it
    await clock_correction.correct(ctx.store, disk.session_id, exact)
    assert (await disk.rows())[1]["start"] == clock.wall(exact, 180_000)
    await clock_correction.correct(ctx.store, disk.session_id, exact + 10**9)
    assert (await disk.session())["clock_ns"] == exact


async def test_a_share_without_sound_says_so(
    ctx: Context, share: BeginShare, silent_recording: Recording
) -> None:
    disk = await share(media=silent_recording)
    disk.commit(2)
    async with indexing(ctx):
        rows = await disk.indexed(2)
        found = await the_timeline(ctx, disk)
    assert not any(row["audio"] for row in rows)
    assert not found.audio


async def test_what_a_real_egress_wrote_is_indexed(
    make_settings: MakeSettings, ctx: Context, share: BeginShare
) -> None:
    """tests/data/real_egress: of 8 listed segments 3 are in the samples."""
    real = Path(__file__).parents[2] / "data/real_egress/share_2s/out"
    settings: Settings = make_settings(retention_minutes=60 * 24 * 365 * 50)
    patient = replace(ctx, settings=settings)
    disk = await share()
    shutil.copytree(real, disk.folder, dirs_exist_ok=True)
    await disk.change(ended_at=datetime.now(UTC), role=None)
    async with indexing(patient):
        await disk.read_to_the_end()
        rows = await disk.rows()
    assert [row["sequence"] for row in rows] == list(range(8))
    usable = [row for row in rows if row["state"] == "indexed"]
    assert [row["sequence"] for row in usable] == [0, 4, 7]
    assert [row["start_ticks"] for row in usable] == [83, 720_083, 1_260_083]
    assert {row["fault"] for row in rows} == {None, "missing"}
    assert [(row["width"], row["height"]) for row in usable] == [(1280, 720)] * 3


@pytest.mark.edge("two replicas of everything")
async def test_two_indexers_share_the_work_and_index_nothing_twice(
    ctx: Context, share: BeginShare
) -> None:
    shares = [await share(f"user{number}") for number in range(6)]
    async with indexing(ctx) as one, indexing(ctx) as other:
        for disk in shares:
            disk.commit(4)
        for disk in shares:
            assert [row["sequence"] for row in await disk.indexed(4)] == [0, 1, 2, 3]
            assert (await disk.session())["indexer"] in (one.name, other.name)
    for disk in shares:
        assert (await disk.session())["indexer"] is None  # given back
        assert_continuous(await disk.rows())


async def test_a_lease_that_is_given_back_is_taken_over_at_once(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(2)
        await disk.indexed(2)
    disk.commit(1)
    async with indexing(ctx):
        rows = await disk.indexed(3)
    assert_continuous(rows)


async def test_a_lease_of_a_dead_indexer_expires(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    disk.commit(1)
    now = datetime.now(UTC)
    await disk.change(indexer="dead", indexer_until=now + timedelta(seconds=2))
    async with indexing(ctx):
        await disk.indexed(1)
    assert datetime.now(UTC) - now > timedelta(seconds=2)


async def test_the_playlist_to_row_time_is_short(ctx: Context, share: BeginShare) -> None:
    """Not the bench: just that events, not scans, do the work."""
    disk = await share()
    async with indexing(ctx):
        disk.commit(1)
        await disk.indexed(1)
        lags = []
        for number in range(2, 8):
            disk.commit(1)
            with Pace() as pace:
                await disk.indexed(number)
            lags.append(pace.fair_seconds)
            await asyncio.sleep(0.15)
    assert sorted(lags)[len(lags) // 2] < 0.5, lags


@pytest.mark.parametrize("left", ["fragment without row", "row with .ts", "row without fragment"])
async def test_what_a_crash_left_half_done_is_finished(
    ctx: Context, share: BeginShare, left: str
) -> None:
    disk = await share()
    disk.commit(3)
    media, seconds = disk.next_segment()
    async with indexing(ctx):
        await disk.indexed(3)
        path = disk.egress.commit(media, seconds)
        whole = (await disk.indexed(4))[3]
    if left == "fragment without row":
        await ctx.store.rows(Segment).delete_one({"_id": whole["_id"]})
        (disk.fragments / whole["name"]).write_bytes(b"half")
        await forget_in_summary(ctx, disk, 3)
    if left == "row without fragment":
        (disk.fragments / whole["name"]).unlink()
    path.write_bytes(media)
    async with indexing(ctx):
        await wait_for(lambda: disk.files("*.ts") == [])
        rows = await disk.rows()
    assert [row["sequence"] for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert (disk.fragments / row["name"]).stat().st_size == row["size_bytes"]
    assert_continuous(rows)
    assert disk.files("*.ts") == []


async def forget_in_summary(ctx: Context, disk: DiskShare, sequence: int) -> None:
    """As if the indexer had been killed before it wrote the summary."""
    from app.models.schema import Summary

    await ctx.store.rows(Summary).delete_one({"_id": disk.session_id})


async def test_an_indexer_that_is_cancelled_at_any_moment_loses_and_doubles_nothing(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    disk.commit(20)
    for moment in range(36):  # with connections of its own, as a process has
        store = Store(ctx.settings.mongo_url)
        task = asyncio.create_task(Indexer(replace(ctx, store=store)).run())
        await asyncio.sleep(0.006 * moment)
        task.cancel()
        ended, _ = await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        assert ended, f"cancelled after {moment * 6} ms, it goes on"
        await store.close()
    async with indexing(ctx):
        rows = await disk.indexed(20)  # a lease that was just being taken expires
        await wait_for(lambda: disk.files("*.ts") == [])
    assert [row["sequence"] for row in rows] == list(range(20))
    assert_continuous(rows)
    assert disk.files("*.m4s") == [row["name"] for row in rows]


def watched() -> list[int]:
    """The inodes of what this process has asked the system for events of (proc(5), fdinfo)."""
    found = []
    for file in Path("/proc/self/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += re.findall(r"^inotify wd:\w+ ino:(\w+) ", file.read_text(), re.MULTILINE)
    return [int(inode, 16) for inode in found]


def is_watched(folder: Path) -> bool:
    return folder.exists() and folder.stat().st_ino in watched()


async def test_events_that_stay_away_are_noticed_and_polled_for_instead(
    ctx: Context, share: BeginShare
) -> None:
    """The watched folder was moved away: what is written to the new one makes no events."""
    disk = await share()
    with capture_logs() as logs:
        async with indexing(ctx):
            await wait_for(lambda: is_watched(disk.folder), what="file events are asked for")
            disk.folder.rename(disk.folder.with_name("elsewhere"))
            disk.folder.mkdir()

            async def polling() -> bool:
                disk.commit(1)
                await disk.indexed(len(disk.egress.lines))
                return any(each["event"] == "file_events_silent" for each in logs)

            await wait_for(polling)
            assert await fastest(disk) < 1.5
            await wait_for(lambda: not watched(), what="no events are asked for any more")
    assert [each["event"] for each in logs].count("file_events_silent") == 1


async def test_folders_are_watched_as_long_as_their_sessions_last(
    ctx: Context, share: BeginShare
) -> None:
    before = await share("ann")
    async with indexing(ctx):
        await wait_for(lambda: is_watched(before.folder))
        for number in range(2):
            disk = await share(f"user{number}")
            disk.commit(1)
            await disk.indexed(1)
            await wait_for(lambda: is_watched(disk.folder))  # noqa: B023 - waited for at once
            assert is_watched(before.folder)
            await disk.change(ended_at=datetime.now(UTC), role=None)
            disk.egress.end()
            await disk.read_to_the_end()
            await wait_for(lambda: len(watched()) == 1)
        assert await fastest(before) < 1.5
    await wait_for(lambda: not watched())


async def test_a_session_that_begins_later_is_indexed_by_events(
    ctx: Context, share: BeginShare
) -> None:
    """Its folder comes after its row."""
    async with indexing(ctx):
        disk = await share()
        disk.folder.rmdir()

        async def followed() -> bool:
            return (await disk.session())["indexer"] is not None

        await wait_for(followed)
        disk.folder.mkdir()
        await wait_for(lambda: is_watched(disk.folder))
        assert await fastest(disk) < 1.5


@pytest.mark.edge("segments of other lengths, steps in time")
async def test_a_hole_within_a_segment_is_kept_in_time(
    ctx: Context, share: BeginShare, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As after a mute: 1.2 s without a picture inside of one segment."""
    shape = Shape(frames=150, hole=(4.5, 5.7), variant=1)
    media = MediaFactory(tmp_path_factory.mktemp("hole")).record(shape)
    disk = await share(media=media)
    disk.commit(len(media.segments))
    async with indexing(ctx):
        rows = await disk.indexed(len(media.segments))
        found = await the_timeline(ctx, disk)
    assert rows[2]["frames"] < rows[1]["frames"]
    assert rows[2]["end_ticks"] - rows[2]["start_ticks"] == 2 * 90_000
    assert_continuous(rows)
    assert len(found.spans) == 1
    assert found.seconds == pytest.approx(10, abs=0.1)


async def test_a_session_goes_on_when_its_init_segment_was_overwritten(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    disk.commit(2)
    async with indexing(ctx):
        await disk.indexed(2)
    (init,) = disk.fragments.glob("init-*.mp4")
    whole = init.read_bytes()
    init.write_bytes(b"no init segment")
    disk.commit(1)
    async with indexing(ctx):
        rows = await disk.indexed(3)
    assert rows[2]["state"] == "indexed"
    assert init.read_bytes() == whole


@pytest.mark.edge("active and no segment")
async def test_a_session_that_should_write_and_does_not_is_probed(
    ctx: Context, share: BeginShare
) -> None:
    """One that only starts, one that is over and one that writes are not."""
    silent, starting, over, writing = [await share(name) for name in ("a", "b", "c", "d")]
    now = datetime.now(UTC)
    for disk in (silent, over, writing):
        await disk.change(active_at=now)
    await over.change(ended_at=now)
    await starting.change(active_at=None)

    async def is_probed() -> bool:
        if len(writing.egress.lines) < len(writing.media.segments):
            writing.commit()
        return await queued(ctx, "probe") > 0

    async with indexing(ctx):
        for disk in (silent, over):
            disk.commit()
            await disk.indexed(1)
        await wait_for(is_probed, every=1.0)
    async with redis_of(ctx) as redis:
        names = [name.decode() for name in await redis.zrange("replay:queue", 0, -1)]
    assert [silent.session_id in name for name in names if name.startswith("probe")] == [True]
    assert starting.session_id not in "".join(names)
