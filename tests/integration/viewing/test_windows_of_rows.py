"""Windows on real rows: which segments they mean, and whether players can read them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.buffer import paths
from app.context import Context
from app.models.schema import Segment
from app.viewing import hls, stored_timelines, windows
from app.viewing.timeline import Timeline
from tests.integration.buffer.shares import BeginShare, DiskShare, indexing
from tests.rows import PartOfRow
from tests.waiting import wait_for


async def the_timeline(ctx: Context, disk: DiskShare) -> Timeline:
    found = await stored_timelines.read(ctx.store, disk.buffer_id, datetime.now(UTC), ctx.settings)
    assert found is not None
    return found


async def of_window(
    ctx: Context, disk: DiskShare, start: float, end: float, *, lead: bool = False
) -> list[list[PartOfRow]]:
    """The rows of a window, in seconds of the share."""
    edges = (disk.start + timedelta(seconds=start), disk.start + timedelta(seconds=end))
    found = await the_timeline(ctx, disk)
    window = windows.resolve(found, datetime.now(UTC), ctx.settings, start=edges[0], end=edges[1])
    return await windows.segments(ctx.store, window.ranges, lead=lead)


async def test_a_window_means_the_segments_that_lie_in_it_even_if_only_partly(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(10)
        await disk.indexed(10)
    (rows,) = await of_window(ctx, disk, 5.5, 9.5)
    assert [row["sequence"] for row in rows] == [2, 3, 4]
    assert all(row["samples"] for row in rows)
    (rows,) = await of_window(ctx, disk, 5.5, 9.5, lead=True)
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4]
    (rows,) = await of_window(ctx, disk, 6, 8)
    assert 3 in [row["sequence"] for row in rows]


async def test_quarantined_segments_are_left_out_and_marked_ones_are_not(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(5)
        await disk.indexed(5)
    for sequence, state in ((1, "quarantined"), (2, "marked")):
        await ctx.store.rows(Segment).update_one(
            {"_id": f"{disk.session_id}:{sequence}"}, {"$set": {"state": state}}
        )
    (rows,) = await of_window(ctx, disk, 0.5, 9)
    assert [row["sequence"] for row in rows] == [0, 2, 3, 4]


async def test_the_second_of_two_sessions_holds_from_its_first_frame(
    ctx: Context, share: BeginShare
) -> None:
    first = await share("ann", age=60)
    later = first.start + timedelta(seconds=6)
    second = await share("ann", start=later, buffer_id=first.buffer_id, role="next")
    async with indexing(ctx):
        first.commit(5)  # 60 s to 50 s ago
        second.commit(5)  # 54 s to 44 s ago
        await first.indexed(5)
        await second.indexed(5)
    found = await the_timeline(ctx, first)
    assert [span.session_id for span in found.spans] == [first.session_id, second.session_id]
    assert abs(found.seconds - 16) < 0.01
    old, new = await of_window(ctx, first, 1, 15)
    assert [row["sequence"] for row in old] == [0, 1, 2]
    assert [row["sequence"] for row in new] == [0, 1, 2, 3, 4]


async def test_many_buffers_are_listed_alike(ctx: Context, share: BeginShare) -> None:
    shares = [await share(f"user{number}") for number in range(5)]
    async with indexing(ctx):
        for number, disk in enumerate(shares, 1):
            disk.commit(number)
        for number, disk in enumerate(shares, 1):
            await disk.indexed(number)
        now = datetime.now(UTC)
        listed = await stored_timelines.listing(ctx.store, {"room": "room"}, now, ctx.settings)
        one_by_one = [
            await stored_timelines.read(ctx.store, each.buffer_id, now, ctx.settings)
            for each in listed
        ]
    assert sorted(round(each.seconds) for each in listed) == [2, 4, 6, 8, 10]
    assert listed == one_by_one


async def test_the_playlist_of_a_window_is_read_by_other_programs_whole(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(6)
        await disk.indexed(6)
    (rows,) = await of_window(ctx, disk, 3, 9)
    text = hls.playlist(
        (hls.item(row) for row in rows),
        lambda each: paths.fragment_name(each.sequence),
        lambda each: paths.init_name(each.init_id),
    )
    playlist = disk.fragments / "window.m3u8"
    playlist.write_text(text)
    streams = await probe(playlist)
    pictures = next(each for each in streams if each["codec_type"] == "video")
    assert int(pictures["nb_read_packets"]) == sum(row["frames"] for row in rows)
    assert {each["codec_name"] for each in streams} == {"h264", "aac"}


async def probe(path: Path) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-allowed_extensions", "ALL", "-count_packets"),
        *("-show_streams", "-of", "json", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return list(json.loads(output)["streams"])


async def test_what_is_indexed_is_offered_at_once(ctx: Context, share: BeginShare) -> None:
    """A timeline needs no summary that the indexer has yet to write."""
    disk = await share()
    async with indexing(ctx):
        for count in range(1, 20):
            disk.commit(1)

            async def offered(seconds: int = 2 * count) -> bool:
                return round((await the_timeline(ctx, disk)).seconds) == seconds

            await wait_for(offered)
