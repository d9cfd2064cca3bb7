"""Files that belong to somebody else: said once, counted, and nothing else stops."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.buffer.paths import BUFFER_ROOT
from app.cleaning import buffer_tree, cleanup, erasure
from app.context import Context
from app.indexing.indexer import Indexer
from app.models.schema import EgressSession, Segment
from app.storage.shared_folder import SharedFolder
from tests.integration.buffer.shares import BeginShare, indexing
from tests.waiting import PATIENCE_SECONDS, wait_for


class CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def obey_permissions() -> None:
    """From now on this thread is bound by file permissions, also when root runs the tests.

    capabilities(7) belong to threads: all of this one's are dropped.
    """
    header = CapHeader(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def as_ordinary_user(indexer: Indexer) -> None:
    """Every thread of an indexer obeys file permissions: those that wait for parsers, too."""
    for threads in (indexer.threads, indexer.syncs, indexer._parser._pool._threads):
        everyone = threading.Barrier(threads._max_workers)

        def obey(everyone: threading.Barrier = everyone) -> None:
            everyone.wait(PATIENCE_SECONDS)
            obey_permissions()

        for done in [threads.submit(obey) for _ in range(everyone.parties)]:
            done.result(PATIENCE_SECONDS)


@pytest.mark.edge("files of another owner")
async def test_a_segment_that_may_not_be_read_is_quarantined(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx) as indexer:
        as_ordinary_user(indexer)
        path = disk.egress.write_segment(*disk.next_segment())
        path.chmod(0)
        disk.egress.name_segments()
        disk.commit(1)
        rows = await disk.indexed(2)
    assert [row["fault"] for row in rows] == ["unreadable", None]


async def test_a_folder_that_may_not_be_written_is_waited_for_and_said_once(
    ctx: Context, share: BeginShare
) -> None:
    disk, other = await share("ann"), await share("bob")
    with capture_logs() as logs:
        async with indexing(ctx) as indexer:
            as_ordinary_user(indexer)
            disk.commit(2)
            disk.fragments.mkdir(parents=True)
            disk.fragments.chmod(0o555)
            try:
                other.commit(2)
                await other.indexed(2)
                await wait_for(lambda: [each for each in logs if each["event"] == "indexing_waits"])
                assert await disk.rows() == []
            finally:
                disk.fragments.chmod(0o750)
            await disk.indexed(2)
            await wait_for(lambda: disk.files("*.ts") == [])
    (said,) = [each for each in logs if each["event"] == "indexing_waits"]
    assert said["session"] == disk.session_id


async def test_a_folder_that_may_not_be_entered_stops_no_other_session(
    ctx: Context, share: BeginShare
) -> None:
    disk, other = await share("ann"), await share("bob")
    async with indexing(ctx) as indexer:
        as_ordinary_user(indexer)
        disk.commit(1)
        await disk.indexed(1)
        disk.folder.chmod(0)
        try:
            for count in range(1, 4):
                other.commit(1)
                await other.indexed(count)
                await indexer._look_for_changes()
        finally:
            disk.folder.chmod(0o770)
        disk.commit(1)
        await disk.indexed(2)


@pytest.mark.parametrize("closed", ["playlists", "folder"])
async def test_what_may_not_be_read_keeps_no_session_that_is_over(
    ctx: Context, share: BeginShare, closed: str
) -> None:
    """Nor its erasure: egress decides who may read what it writes."""
    disk = await share("ann")
    async with indexing(ctx) as indexer:
        as_ordinary_user(indexer)
        disk.commit(2)
        await disk.indexed(2)
        shut = [disk.folder] if closed == "folder" else sorted(disk.folder.glob("*.m3u8"))
        for path in shut:
            os.chown(path, 1102, 1102)
            path.chmod(0o600)
        over = datetime.now(UTC) - timedelta(minutes=2)
        await disk.change(ended_at=over, role=None, status="EGRESS_COMPLETE")
        await disk.read_to_the_end()
    await erasure.promise(ctx.store, disk.buffer_id, datetime.now(UTC))
    assert await erasure.erase(ctx, disk.buffer_id)


async def test_a_folder_that_egress_keeps_from_us_keeps_no_row(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share("ann")
    async with indexing(ctx):
        disk.commit(2)
        await disk.indexed(2)
        disk.egress.end()
        await disk.change(ended_at=datetime.now(UTC), role=None, status="EGRESS_COMPLETE")
        await disk.read_to_the_end()
    kept = disk.folder / "kept"
    kept.mkdir()
    (kept / "copy.ts").touch()
    os.chown(kept, 1102, 1102)
    await erasure.promise(ctx.store, disk.buffer_id, datetime.now(UTC))
    # What is done in threads from now on obeys permissions.
    threads = ThreadPoolExecutor(4, initializer=obey_permissions)
    asyncio.get_running_loop().set_default_executor(threads)
    with capture_logs() as logs:
        assert await erasure.erase(ctx, disk.buffer_id)
    assert [each["event"] for each in logs].count("folder_left_behind") == 1
    assert await ctx.store.rows(EgressSession).count_documents({}) == 0
    assert not disk.fragments.exists()
    assert [each.name for each in disk.folder.iterdir()] == ["kept"]


def test_folders_that_may_not_be_entered_are_passed_by_and_said_once(tmp_path: Path) -> None:
    """By whoever looks for strays: those of rooms, of users and of sessions."""
    session = "8b5b66d7-01a222f78e5bcfbfde54a349"
    paths = [tmp_path / BUFFER_ROOT / room / "user" / session for room in "abcd"]
    closed = [paths[0].parents[1], paths[1].parent, paths[2]]
    for path in paths:
        path.mkdir(parents=True)
        (path / "stray").touch()
    for path in closed:
        path.chmod(0)

    def look() -> list[list[str]]:
        obey_permissions()
        found = []
        for _ in range(2):
            folders = buffer_tree.session_folders(SharedFolder(tmp_path), "8b5b66d7")
            found.append([name for each in folders for name in buffer_tree.names_in(each)])
            for each in folders:
                buffer_tree.older(each, ["stray"], 2**40)
        buffer_tree.remove_empty(SharedFolder(tmp_path), frozenset(), "8b5b66d7")
        return found

    try:
        with capture_logs() as logs, ThreadPoolExecutor(1) as thread:
            assert thread.submit(look).result(PATIENCE_SECONDS) == [["stray"], ["stray"]]
    finally:
        for path in closed:
            path.chmod(0o770)
    told = [each["path"] for each in logs if each["event"] == "folder_unreadable"]
    assert sorted(told) == sorted(map(str, closed))


@pytest.mark.edge("files of another owner")
async def test_a_file_that_can_not_be_deleted_stays_marked_and_the_rest_goes(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share()
    async with indexing(ctx):
        disk.commit(3)
        await disk.indexed(3)
    stubborn = disk.fragments / "00000000.m4s"
    stubborn.unlink()
    stubborn.mkdir()  # unlink refuses it, whoever asks
    old = datetime.now(UTC) - timedelta(minutes=13)
    await ctx.store.rows(Segment).update_many({"sequence": {"$lt": 2}}, {"$set": {"end": old}})
    with capture_logs() as logs:
        await cleanup.run(ctx)
        (row, _) = await disk.rows()
        assert (row["sequence"], row["state"]) == (0, "marked")
    assert [each["event"] for each in logs].count("file_not_deletable") == 1
    stubborn.rmdir()
    await cleanup.run(ctx)
    assert [row["sequence"] for row in await disk.rows()] == [2]
