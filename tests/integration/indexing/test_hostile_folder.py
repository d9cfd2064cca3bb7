"""An egress that was taken over: what it leaves in its folder harms no file and no neighbour."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from structlog.testing import capture_logs

from app.cleaning import cleanup
from app.context import Context
from app.indexing import playlist
from app.indexing.backlog import LAST_WORD, QUIET
from app.indexing.indexer import Indexer
from app.indexing.parser import Parser
from app.indexing.segment_rows import TOLD
from app.indexing.session_bounds import MORE_SEGMENTS
from tests.integration.buffer.shares import BeginShare, DiskShare, indexing
from tests.integration.cleaning.test_cleanup import end, make_old
from tests.integration.indexing.test_indexer import is_watched
from tests.media_factory import TICKS
from tests.pace import Pace
from tests.unit.indexing.test_parser import STUBBORN
from tests.waiting import wait_for

MIB = 2**20
MEMORY_BYTES = 150 * MIB
"""Far less than what any of these would take if it were read."""


def link(path: Path) -> None:
    """To media that would be taken, if the link were followed."""
    outside = path.parents[4] / "outside.ts"
    path.rename(outside)
    path.symlink_to(outside)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    (path / "inner").mkdir(parents=True)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(400 * MIB)


PUT: dict[str, tuple[Callable[[Path], None], str]] = {
    "link": (link, "not-a-file"),
    "pipe": (fifo, "not-a-file"),
    "folder": (folder, "not-a-file"),
    "device": (device, "not-a-file"),
    "sparse file": (sparse, "too-large"),
}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def keeps_up(neighbour: DiskShare, count: int) -> None:
    """The neighbour's next segment is there at once."""
    with Pace() as pace:
        neighbour.commit()
        await neighbour.indexed(count)
    assert pace.fair_seconds < 1.0, pace.seconds


async def test_what_is_written_on_and_on_keeps_no_session_that_is_over(
    ctx: Context, share: BeginShare
) -> None:
    """Nor what waits for its end: what is listed until then is indexed."""
    disk = await share()

    async def write_on() -> None:
        while True:
            os.utime(disk.folder / "live.m3u8")
            await asyncio.sleep(0.2)

    async with indexing(ctx):
        disk.commit(2)
        await disk.indexed(2)
        writing = asyncio.create_task(write_on())
        over = datetime.now(UTC) - LAST_WORD - QUIET
        await disk.change(ended_at=over, role=None, status="EGRESS_COMPLETE")
        disk.commit(1)
        await disk.read_to_the_end()
        writing.cancel()
    assert len(await disk.rows()) == 3


@pytest.mark.parametrize("kind", PUT)
async def test_what_is_no_segment_is_a_gap_and_nothing_waits_for_it(
    ctx: Context, share: BeginShare, kind: str
) -> None:
    put, fault = PUT[kind]
    hostile, neighbour = await share("eve"), await share("ann")
    before = peak_bytes()
    async with indexing(ctx):
        hostile.commit()
        neighbour.commit()
        await hostile.indexed(1)
        await neighbour.indexed(1)
        put(hostile.egress.write_segment(*hostile.next_segment()))
        hostile.egress.name_segments()
        await keeps_up(neighbour, 2)
        hostile.commit(2)
        rows = await hostile.indexed(4)
        await keeps_up(neighbour, 3)
    assert [row["fault"] for row in rows] == [None, fault, None, None]
    assert rows[1]["name"] == f"{hostile.egress.names[1]}.bad"
    assert peak_bytes() - before < MEMORY_BYTES
    # and it goes as other segments do
    await end(hostile)
    await make_old(ctx, hostile, range(4))
    await cleanup.run(ctx)
    assert await hostile.rows() == []
    assert [path.exists() for path in hostile.folders] == [False, False]


async def test_long_playlists_that_change_all_the_time_take_little_of_a_processor(
    ctx: Context, share: BeginShare
) -> None:
    """A look at one is followed by a rest of many times its cost, and others have the threads."""
    hostile, neighbour = await share("eve"), await share("ann")
    long = b"#EXTM3U\n" + b"#EXTINF:x\n" * 199_000
    began = time.process_time()
    playlist.parse(long)
    one_seconds = time.process_time() - began
    (hostile.folder / "live.m3u8").write_bytes(long)
    async with indexing(ctx):
        neighbour.commit()
        await neighbour.indexed(1)
        began, used = time.monotonic(), time.process_time()
        while time.monotonic() - began < 20 * one_seconds:
            os.utime(hostile.folder / "live.m3u8")
            await asyncio.sleep(0.1)
        used = time.process_time() - used
        neighbour.commit()
        await neighbour.indexed(2)
    assert used < 4 * one_seconds


async def test_a_session_has_no_more_rows_than_there_was_time_for(
    ctx: Context, share: BeginShare
) -> None:
    """However many names its playlist has, and how often they are others; nor lines in the log."""
    hostile, neighbour = await share("eve"), await share("ann")
    began = (await hostile.session())["created_at"]
    live = hostile.folder / "live.m3u8"
    long_ago = time.time() - 3600

    def flood(first: int) -> None:
        names = "".join(f"#EXTINF:62,\ns{first + each}.ts\n" for each in range(2_000))
        live.write_text(f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n{names}")
        os.utime(live, (long_ago + first, long_ago + first))

    with capture_logs() as logs:
        async with indexing(ctx):
            flood(0)
            await hostile.indexed(MORE_SEGMENTS)
            for first in range(1, 10):
                flood(first)
                neighbour.commit()
                await neighbour.indexed(first)
            await wait_for(lambda: [each for each in logs if each["event"] == "segments_too_many"])
    age_seconds = (datetime.now(UTC) - began).total_seconds()
    rows = await hostile.rows()
    assert MORE_SEGMENTS < len(rows) <= MORE_SEGMENTS + 1 + age_seconds
    told = Counter(each["event"] for each in logs if each.get("session") == hostile.session_id)
    assert told["segments_too_many"] == 1
    assert told["segment_quarantined"] == TOLD


async def test_a_folder_in_place_of_a_segment_is_not_emptied_in_a_segments_turn(
    ctx: Context, share: BeginShare
) -> None:
    """One that is too old to be offered: however much is in it, it goes with the strays."""
    hostile = await share("eve")
    hostile.egress.now -= timedelta(days=1)
    planted = hostile.egress.write_segment(*hostile.next_segment())
    planted.unlink()
    (planted / "a lot").mkdir(parents=True)
    long_ago = time.time() - 24 * 3600
    os.utime(planted, (long_ago, long_ago))
    hostile.egress.now += timedelta(days=1)
    async with indexing(ctx):
        hostile.commit(2)
        await wait_for(lambda: len(hostile.files("*.m4s")) == 2)
    assert (planted / "a lot").exists()


@pytest.mark.parametrize("name", ["live.m3u8", "full.m3u8"])
@pytest.mark.parametrize("kind", [*PUT, "long line", "many lines"])
async def test_what_is_no_playlist_is_told_once_and_the_other_one_is_read(
    ctx: Context, share: BeginShare, kind: str, name: str
) -> None:
    hostile, neighbour = await share("eve"), await share("ann")
    before = peak_bytes()
    with capture_logs() as logs:
        async with indexing(ctx):
            hostile.commit(2)
            neighbour.commit()
            await hostile.indexed(2)
            await neighbour.indexed(1)
            hostile.commit(2)
            spoil(hostile.folder / name, kind)
            await keeps_up(neighbour, 2)
            await hostile.change(ended_at=datetime.now(UTC))  # now both are read
            await hostile.indexed(4)
            await keeps_up(neighbour, 3)
    assert peak_bytes() - before < MEMORY_BYTES
    told = [line for line in logs if line["event"] == "playlist_refused"]
    assert len(told) <= 1, told
    assert max(len(str(line)) for line in logs) < 1000


def spoil(path: Path, kind: str) -> None:
    """Puts that in the place of a playlist, or behind what is in it."""
    match kind:
        case "long line":
            with path.open("r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(b"#EXTINF:2.000,\n")
                file.seek(200 * MIB, os.SEEK_CUR)
                file.write(b".ts\n")
        case "many lines":
            with path.open("ab") as file:
                file.writelines(b"#EXTINF:2.000,\ns%d.ts\n" % number for number in range(200_000))
        case _:
            PUT[kind][0](path)


async def test_a_part_that_is_a_link_is_not_written_through(
    ctx: Context, share: BeginShare
) -> None:
    """The name of a part can be foreseen from those before it; egress can't reach its folder."""
    hostile = await share("eve")
    outside = ctx.settings.media_root.parent / "a-file-of-the-service"
    outside.write_bytes(b"untouched")
    async with indexing(ctx) as indexer:
        hostile.commit()
        (first,) = await hostile.indexed(1)
        plant(hostile, indexer, first, outside)
        hostile.commit()
        rows = await hostile.indexed(2)
    assert outside.read_bytes() == b"untouched"
    assert [row["fault"] for row in rows] == [None, None]


def plant(hostile: DiskShare, indexer: Indexer, row: dict[str, Any], outside: Path) -> None:
    for name in ("00000001.m4s", f"init-{row['init_id']}.mp4"):
        for folder in hostile.folders:
            (folder / f"{name}.{indexer.name}.part").symlink_to(outside)


async def test_a_playlist_whose_event_is_lost_does_not_wait_for_the_look_for_sessions(
    ctx: Context, share: BeginShare
) -> None:
    """Whoever makes very many events takes other sessions' with them: here none comes of one."""
    lost = await share("ann")
    async with indexing(ctx, scan_seconds=3600):
        lost.commit()
        await lost.indexed(1)
        lost.folder.rename(lost.folder.with_name("elsewhere"))
        lost.folder.mkdir()
        for count in (2, 3):
            lost.commit()
            await lost.indexed(count)


@pytest.mark.parametrize("place", ["in the folder", "beside it", "for it"])
async def test_what_a_link_leads_to_is_not_watched(
    ctx: Context, share: BeginShare, tmp_path: Path, place: str
) -> None:
    hostile, neighbour = await share("eve"), await share("ann")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "inner").mkdir(parents=True)
    match place:
        case "in the folder":
            (hostile.folder / "link").symlink_to(elsewhere)
        case "beside it":
            hostile.folder.with_name("link").symlink_to(elsewhere)
        case _:
            hostile.folder.rmdir()
            hostile.folder.symlink_to(elsewhere)
    async with indexing(ctx):
        await wait_for(lambda: is_watched(neighbour.folder))
        neighbour.commit()
        await neighbour.indexed(1)  # by a parser that had to start
        assert not is_watched(elsewhere)
        assert not is_watched(elsewhere / "inner")
        (elsewhere / neighbour.session_id).mkdir()
        (elsewhere / neighbour.session_id / "live.m3u8").touch()
        await keeps_up(neighbour, 2)


def with_half_a_day_in_it(media: bytes) -> bytes:
    """The segment with its last picture half a day later: what it shows is as long as that."""
    with av.open(io.BytesIO(media), "r") as container:
        last = max(packet.pts or 0 for packet in container.demux(video=0))
    later = media.replace(pes_time(last), pes_time(last + 43_190 * TICKS))
    assert later != media
    return later


def pes_time(ticks: int) -> bytes:
    """A presentation time as a PES header has it, beside a decode time (13818-1, 2.4.3.7)."""
    parts = (0x31 | ticks >> 29 & 0x0E, ticks >> 22 & 0xFF, 0x01 | ticks >> 14 & 0xFE)
    return bytes((*parts, ticks >> 7 & 0xFF, 0x01 | ticks << 1 & 0xFE))


@pytest.mark.parametrize("whose", ["the playlist's", "the media's", "both"])
async def test_times_that_can_not_be_are_a_gap_of_a_length_that_can(
    ctx: Context, share: BeginShare, whose: str
) -> None:
    """What is said to be half a day long is not filled with so much silence."""
    hostile, neighbour = await share("eve"), await share("ann")
    async with indexing(ctx):
        hostile.commit()
        neighbour.commit()
        await hostile.indexed(1)
        await neighbour.indexed(1)
        media, seconds = hostile.next_segment()
        media = media if whose == "the playlist's" else with_half_a_day_in_it(media)
        hostile.egress.commit(media, seconds if whose == "the media's" else 43_191.5)
        await keeps_up(neighbour, 2)
        rows = await hostile.indexed(2)
        hostile.egress.now = datetime.now(UTC)
        hostile.commit()
        rows = await hostile.indexed(3)
    assert [row["fault"] for row in rows] == [None, "timestamps", None]
    assert rows[1]["end_ticks"] - rows[1]["start_ticks"] <= 62 * 90_000


async def test_no_date_that_egress_gives_leads_out_of_the_sessions_time(
    ctx: Context, share: BeginShare
) -> None:
    """Rows with a later one would be kept until then, and the session with them."""
    hostile = await share("eve", clock_ns=None, clock_exact=False)
    hostile.egress.now = datetime(2099, 1, 1, tzinfo=UTC)
    async with indexing(ctx):
        hostile.commit()
        await hostile.indexed(1)
        hostile.egress.now = datetime(2100, 1, 1, tzinfo=UTC)
        hostile.egress.commit(b"no media", 2.0)
        rows = await hostile.indexed(2)
    latest = datetime.now(UTC) + timedelta(minutes=3)
    assert [row["fault"] for row in rows] == [None, "unreadable"]
    assert all(row["start"] < row["end"] < latest for row in rows)


async def test_very_many_names_are_a_matter_of_their_own_session(
    ctx: Context, share: BeginShare
) -> None:
    """In a playlist, and as files."""
    hostile, neighbour = await share("eve"), await share("ann")
    for number in range(20_000):
        (hostile.folder / f"x{number}.ts").touch()
    before = peak_bytes()
    text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n"
    text += "".join(f"#EXTINF:2.000,\nx{number}.ts\n" for number in range(20_000))
    (hostile.folder / "live.m3u8").write_text(text)
    async with indexing(ctx):
        neighbour.commit()
        await neighbour.indexed(1)
        began = time.monotonic()
        for count in range(2, 6):
            await keeps_up(neighbour, count)
            await hostile.indexed(count)
        assert time.monotonic() - began < 60
    assert peak_bytes() - before < MEMORY_BYTES


HOSTILE = 6
"""More than there are processes and threads to parse for them all."""


def commit_named(share: DiskShare, name: str) -> None:
    """A segment of a name that tells a stubborn parser what to do."""
    path = share.egress.write_segment(*share.next_segment())
    path.rename(path.with_name(name))
    share.egress.lines[-1] = (name, *share.egress.lines[-1][1:])
    share.egress.name_segments()


async def test_however_many_sessions_hang_their_parsers_no_other_one_waits(
    ctx: Context, share: BeginShare
) -> None:
    """Also if all of them do so for the first time, and at the same time."""
    neighbour = await share("ann")
    hostile = [await share(f"eve{number}") for number in range(HOSTILE)]
    async with indexing(ctx, Parser(STUBBORN)):
        for each in (neighbour, *hostile):
            each.commit()
        for each in (neighbour, *hostile):
            await each.indexed(1)
        for each in hostile:
            for number in range(3):
                commit_named(each, f"hangs.{number}.ts")
        for count in range(2, 7):
            neighbour.commit()
            await neighbour.indexed(count)
        over = [len(await each.rows()) - 1 for each in hostile]
    assert sum(over) < HOSTILE / 2, over  # most of them hang in their first one still
