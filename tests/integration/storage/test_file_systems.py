"""The media root on file systems that people have: from egress's files to clips, and to nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.buffer import paths
from app.cleaning import cleanup
from app.cleaning.buffer_invariants import violations
from app.clips import clip_expiry, clip_invariants, clip_thumbnails, library
from app.condition import machine
from app.context import Context
from app.models import Why
from app.models.schema import Buffer, EgressSession, ReplayClip, Segment
from app.recording import recorder
from app.settings import Settings
from app.viewing.drawing import Drawing
from deploy.local.stack import ROOT
from tests.file_systems import FILE_SYSTEMS, MEBIBYTE, filled, image, memory, without_files
from tests.integration.buffer.shares import begin_share, indexing
from tests.integration.captures.checking import captured, check_whole, files, nothing_is_left
from tests.integration.captures.conftest import ADA, MakeShare, ended_share
from tests.integration.captures.conftest import factory as factory
from tests.integration.captures.conftest import recording as recording
from tests.integration.conftest import MakeSettings
from tests.integration.processes.test_supervisor import run_to_end
from tests.integration.recording.listed import ListedLiveKit
from tests.integration.recording.test_folders import a_share_begins
from tests.integration.viewing.test_drawing import closed
from tests.media_factory import Recording
from tests.waiting import wait_for

# Each makes and mounts a file system, with programs that are installed first.
pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("programs")]

__all__ = ["ended_share"]  # a fixture

FEW_INODES = {
    "ext4 without inodes": image(64, "mkfs.ext4", "-q", "-F", "-N", "4096"),
    "tmpfs without inodes": memory(48, "nr_inodes=4096"),
}
FULL = dict.fromkeys(FILE_SYSTEMS, filled) | dict.fromkeys(FEW_INODES, without_files)
"""What fills each of them."""
MODELESS = {"exFAT by FUSE", "NTFS by FUSE"}
"""Those that keep no modes of folders."""


@pytest.fixture(scope="module")
def programs() -> None:
    """What makes and mounts file systems is there."""
    subprocess.run([ROOT / "deploy/setup", "--disks"], check=True)
    assert os.geteuid() == 0, "mounting a file system takes root"


@pytest.fixture(params=FILE_SYSTEMS)
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a file system."""
    name: str = request.param
    return name


@pytest.fixture
def disk(kind: str, tmp_path: Path) -> Iterator[Path]:
    """Where it is mounted."""
    base = tmp_path / "disk"
    base.mkdir()
    with {**FILE_SYSTEMS, **FEW_INODES}[kind](base) as folder:
        yield folder


@pytest.fixture
def settings(make_settings: MakeSettings, disk: Path) -> Settings:
    """Settings of an installation whose media root is there."""
    return make_settings(file_upload_dest=disk / "media", free_space_min_bytes=MEBIBYTE)


async def problems(ctx: Context) -> list[str]:
    """What does not hold of buffers and clips, as it will be seen in two minutes."""
    later = datetime.now(UTC) + timedelta(minutes=2)
    found = [each.detail async for each in violations(ctx, later)]
    return found + [each.detail async for each in clip_invariants.violations(ctx, later)]


async def forget(ctx: Context) -> None:
    """What an hour does to shares that are over, and to clips that were deleted."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await ctx.store.rows(Segment).update_many({}, {"$set": {"end": long_ago}})
    await ctx.store.rows(EgressSession).update_many({}, {"$set": {"ended_at": long_ago}})
    await ctx.store.rows(ReplayClip).update_many(
        {"deleted_at": {"$ne": None}}, {"$set": {"deleted_at": long_ago}}
    )
    await cleanup.run(ctx)
    await clip_expiry.sweep_clips(ctx)


def left(root: Path) -> list[str]:
    """The folders of sessions that are there, and all files."""
    sessions = (root / each for each in (paths.BUFFER_ROOT, paths.FRAGMENTS_ROOT))
    found = [folder for each in sessions for folder in each.glob("*/*/*")]
    found += [each for each in root.rglob("*") if not each.is_dir() and each.name != ".instance"]
    return [str(each.relative_to(root)) for each in found]


async def test_a_share_is_kept_captured_and_forgotten(
    ctx: Context, kind: str, ended_share: MakeShare
) -> None:
    """Every packet is in the clip, pictures are drawn, and at the end no file is left."""
    [share] = await ended_share()
    assert [row["state"] for row in await share.rows()] == ["indexed"] * len(share.media.segments)
    assert share.files("*.ts") == []
    whole = await captured(ctx, ADA, last=20)
    assert whole.capture["status"] == "ready", whole.capture["detail"]
    check_whole(whole, share)
    exact = await captured(ctx, ADA, last=6.5, cut="exact")
    assert exact.capture["status"] == "ready", exact.capture["detail"]
    assert whole.clip is not None
    assert whole.file is not None
    async with closed(Drawing()) as drawing:
        poster = await clip_thumbnails.poster(ctx, drawing, whole.clip, whole.file, "ada")
        sheet = await clip_thumbnails.sheet(ctx, drawing, whole.clip, whole.file, "ada")
    assert poster.stat().st_size > 0
    assert sheet.stat().st_size > 0
    assert await problems(ctx) == []
    found = machine.media_root(ctx.settings)
    if kind in MODELESS:
        assert (found.level, "does not keep the mode 2770" in found.detail) == ("fail", True)
    else:
        assert found.level == "ok", found
    assert machine.disk(ctx.settings).level == "ok"

    async for clip in ctx.store.rows(ReplayClip).find({}):
        await library.delete(ctx, ADA, clip["_id"])
    await forget(ctx)
    assert left(ctx.settings.media_root) == []
    await nothing_is_left(ctx)


async def test_a_recording_begins_in_a_folder_of_its_own(ctx: Context) -> None:
    await a_share_begins(ctx)
    livekit = ListedLiveKit()
    await recorder.reconcile(ctx, livekit, "RM", "ann")
    (request,) = livekit.started
    assert Path(request.prefix).parent.is_dir()


@pytest.mark.edge("disk full while writing")
@pytest.mark.parametrize("kind", FULL, indirect=True)
async def test_on_a_full_disk_all_waits_or_is_refused_in_words_and_nothing_is_lost(
    ctx: Context, kind: str, disk: Path, ended_share: MakeShare, recording: Recording
) -> None:
    """What egress had named is indexed afterwards; what is old goes while the disk is full."""
    [ada] = await ended_share()
    bob = await begin_share(ctx, "bob", datetime.now(UTC) - timedelta(seconds=10), recording)
    bob.commit(3)
    await a_share_begins(ctx)
    livekit = ListedLiveKit()
    with capture_logs() as logs:
        with FULL[kind](disk):
            async with indexing(ctx):
                await wait_for(lambda: any(each["event"] == "indexing_waits" for each in logs))
                refused = await captured(ctx, ADA, last=20)
                await recorder.reconcile(ctx, livekit, "RM", "ann")
                told = machine.disk(ctx.settings)
        async with indexing(ctx):
            rows = await bob.indexed(3)
    assert (refused.capture["status"], refused.capture["reason"]) == ("failed", "storage-full")
    assert files(ctx) == []
    ann = await ctx.store.rows(Buffer).find_one({"identity": "ann"})
    assert ann is not None
    assert (ann["why"], livekit.started) == (Why.DISK, [])
    assert told.level == "fail"
    assert ("more files" in told.detail) == (FULL[kind] is without_files)
    assert [row["state"] for row in rows] == ["indexed"] * 3
    made = await captured(ctx, ADA, last=20)
    check_whole(made, ada)
    assert await problems(ctx) == []

    await bob.change(indexing=None, role=None, status="EGRESS_COMPLETE")
    await library.delete(ctx, ADA, made.capture["clip_id"])
    with FULL[kind](disk):
        await forget(ctx)
        assert left(ctx.settings.media_root) == []


@pytest.mark.parametrize("kind", ["exFAT by FUSE"], indirect=True)
async def test_stores_on_a_disk_without_sockets_are_refused_in_words(disk: Path) -> None:
    code, said = await run_to_end(disk, "single")
    assert code == os.EX_CONFIG
    assert "REDIS_URL is missing and the embedded store redis does not start" in said
    assert "Traceback" not in said
