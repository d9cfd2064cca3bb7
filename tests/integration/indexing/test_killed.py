"""kill -9 of the indexer and of the database while segments come: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from pymongo.errors import PyMongoError

from app.cleaning.buffer_invariants import violations
from app.context import opened
from app.media.samples import SampleTable
from app.models.schema import Segment
from app.processes.embedded import embedded_stores
from app.settings import Settings
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.conftest import MakeSettings
from tests.integration.queued import empty_redis
from tests.media_factory import Recording
from tests.waiting import PATIENCE_SECONDS, wait_for

ROOT = Path(__file__).parents[3]


async def assert_whole(disk: DiskShare, count: int) -> None:
    """Each segment has one row and one fragment, sound and picture go on, no `.ts` is left."""
    rows = await disk.indexed(count)
    assert [row["sequence"] for row in rows] == list(range(count))
    tables = [SampleTable.unpack(row["samples"]) for row in rows]
    for left, right in itertools.pairwise(tables):
        assert (left.end_pts, left.end_audio) == (right.first_pts, right.first_audio)
    await wait_for(lambda: disk.files("*.ts") == [])
    assert disk.files("*.m4s") == [row["name"] for row in rows]
    later = datetime.now(UTC) + timedelta(minutes=2)
    # What a killed writer left aside is removed after a safe age; all else holds now.
    found = [each.detail async for each in violations(disk.ctx, later)]
    assert [detail for detail in found if ".part" not in detail] == []


async def test_a_killed_indexer_process_loses_and_doubles_nothing(
    make_settings: MakeSettings, recording: Recording
) -> None:
    settings = make_settings()
    async with opened(settings) as ctx:
        await empty_redis(ctx)
        start = datetime.now(UTC) - timedelta(seconds=60)
        disk = await begin_share(ctx, "ann", start, recording)
        disk.commit(4)
        for killed_after in (2, 7, 12):
            process = await started_indexer(settings)
            disk.commit(4)
            await disk.indexed(killed_after)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            # Its lease expires after 15 s: here, now.
            await disk.change(indexer_until=datetime.now(UTC) - timedelta(seconds=1))
        async with indexing(ctx):
            await assert_whole(disk, 16)


@pytest.mark.heavy
async def test_an_indexer_that_is_killed_between_fragments_and_rows_loses_and_doubles_nothing(
    make_settings: MakeSettings, recording: Recording, tmp_path: Path
) -> None:
    """The database takes nothing meanwhile: of no session a `.ts` goes before its row stands."""
    stores = tmp_path / "stores"
    async with embedded_stores(stores, ["MONGO_URL"]) as urls:
        settings = make_settings(mongo_url=urls["MONGO_URL"])
        async with opened(settings) as ctx:
            await empty_redis(ctx)
            start = datetime.now(UTC) - timedelta(seconds=60)
            disks = [await begin_share(ctx, name, start, recording) for name in ("ann", "ben")]
            for disk in disks:
                disk.commit(2)
            process = await started_indexer(settings)
            for disk in disks:
                await disk.indexed(2)
            database = next(databases(stores / "mongo"))
            database.suspend()
            try:
                for disk in disks:
                    disk.commit(1)
                await wait_for(lambda: all(len(disk.files("*.m4s")) == 3 for disk in disks))
                assert [len(disk.files("*.ts")) for disk in disks] == [1, 1]
                process.kill()
                await process.wait()
            finally:
                database.resume()
            for disk in disks:
                await disk.change(indexer_until=datetime.now(UTC) - timedelta(seconds=1))
            async with indexing(ctx):
                for disk in disks:
                    await disk.indexed(3)
                for disk in disks:
                    await assert_whole(disk, 3)


async def test_a_killed_database_loses_and_doubles_nothing(
    make_settings: MakeSettings, recording: Recording, tmp_path: Path
) -> None:
    async with (
        embedded_stores(tmp_path / "stores", ["MONGO_URL"]) as urls,
        opened(make_settings(mongo_url=urls["MONGO_URL"])) as ctx,
    ):
        start = datetime.now(UTC) - timedelta(seconds=60)
        disk = await begin_share(ctx, "ann", start, recording)
        async with indexing(ctx):
            for count in (3, 6):
                disk.commit(3)
                await disk.indexed(count)
                disk.commit(1)  # in flight
                kill(next(databases(tmp_path / "stores" / "mongo")))
                disk.commit(1)
                await wait_for(lambda: rows_answer(disk))
            disk.commit(2)
            await assert_whole(disk, 12)


async def started_indexer(settings: Settings) -> Process:
    names = ("livekit_api_key", "mongo_url", "redis_url", "data_dir")
    environment = {name.upper(): str(getattr(settings, name)) for name in names}
    environment["LIVEKIT_API_SECRET"] = settings.livekit_api_secret.get_secret_value()
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "indexer"), cwd=ROOT, env=os.environ | environment
    )


async def rows_answer(disk: DiskShare) -> bool:
    try:
        await disk.ctx.store.rows(Segment).find_one({})
    except PyMongoError:
        return False
    return True


def databases(folder: Path) -> Iterator[psutil.Process]:
    """The database processes of ours that work in a folder."""
    for process in psutil.Process().children(recursive=True):
        if process.cwd() == str(folder):
            yield process


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait(PATIENCE_SECONDS)
