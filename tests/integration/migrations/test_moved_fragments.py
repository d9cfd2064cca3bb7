"""The store of a release that kept fragments in egress's folders becomes one of this release."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.cleaning.buffer_invariants import violations
from app.context import Context
from app.main import create_app
from app.migrations import separate_fragments, version
from app.migrations.steps import STEPS
from app.models.schema import EgressSession
from app.settings import Settings
from handlers import router
from tests.integration.api.conftest import OWNER
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.captures.mortal import Mortal, mortal
from tests.integration.migrations.test_upgrade import leases_end, version_of
from tests.media_factory import MediaFactory, Recording, Shape
from tests.serving import running
from tests.waiting import wait_for

BEFORE = STEPS.index(separate_fragments.migrate)
OURS = ("*.m4s", "*.jpg", "init-*.mp4")


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape(frames=180))


@pytest_asyncio.fixture
async def old(ctx: Context, recording: Recording) -> list[DiskShare]:
    """Two shares, as the earlier release had them on disk: one goes on, one has ended."""
    start = datetime.now(UTC) - timedelta(seconds=60)
    shares = [await begin_share(ctx, name, start, recording) for name in ("ann", "bea")]
    async with indexing(ctx):
        for disk in shares:
            disk.commit(3)
            await disk.indexed(3)
    for disk in shares:
        (disk.fragments / "00000001.jpg").write_bytes(b"a tile")
        give_back(disk)
    await shares[1].change(ended_at=start, indexing=None, role=None, status="EGRESS_COMPLETE")
    shutil.rmtree(ctx.settings.media_root / "fragments")
    await set_version(ctx, BEFORE)
    return shares


def give_back(disk: DiskShare) -> None:
    for pattern in OURS:
        for path in list(disk.fragments.glob(pattern)):
            path.rename(disk.folder / path.name)


async def set_version(ctx: Context, number: int) -> None:
    await ctx.store.database[version.COLLECTION].update_one({}, {"$set": {"version": number}})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


MOVED = ["00000000.m4s", "00000001.jpg", "00000001.m4s", "00000002.m4s"]


def assert_moved(shares: list[DiskShare]) -> None:
    for disk in shares:
        assert [name for name in names(disk.fragments) if "init" not in name] == MOVED
        assert len(names(disk.fragments)) == 5
        assert names(disk.folder) == ["full.m3u8", "live.m3u8"]


async def test_fragments_of_before_are_served_and_the_share_goes_on(
    ctx: Context, settings: Settings, old: list[DiskShare]
) -> None:
    """Nothing is copied: the files are the same ones."""
    live, _ = old
    inode = (live.folder / "00000000.m4s").stat().st_ino
    live.commit()  # egress goes on while nothing of the service runs
    async with running(create_app(settings, router)) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://replay.test") as http:
            for number in range(3):
                url = f"/segments/{live.session_id}-{number}.m4s"
                assert (await http.get(url, headers=OWNER)).status_code == 200
    assert await version_of(ctx.store) == version.VERSION
    assert (live.fragments / "00000000.m4s").stat().st_ino == inode
    assert (ctx.settings.media_root / "fragments").stat().st_mode & 0o777 == 0o700
    async with indexing(ctx):
        live.commit()
        rows = await live.indexed(5)
        await wait_for(lambda: live.files("*.ts") == [], what="what is indexed goes")
    assert {row["state"] for row in rows} == {"indexed"}
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert [each.detail async for each in violations(ctx, later)] == []


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.heavy)])
async def test_a_move_killed_at_any_moment_is_gone_on_with(
    ctx: Context, old: list[DiskShare], every: int
) -> None:
    async with mortal() as program:
        worker = Mortal(program, ctx.settings)
        for step in range(0, 1000, every):
            await set_version(ctx, BEFORE)
            killed = await worker.act("upgrade", die_at=step)
            await leases_end(ctx.store)
            await ctx.store.upgrade(ctx.settings.media_root)
            assert await version_of(ctx.store) == version.VERSION
            assert_moved(old)
            for disk in old:
                give_back(disk)
            if not killed:
                break
    assert not killed
    assert step > 10


async def test_what_egress_planted_is_not_moved_among_ours(
    ctx: Context, old: list[DiskShare]
) -> None:
    """A link under the name of a fragment would be served; a row may name a folder that is none."""
    secret = ctx.settings.media_root.parent / "secret"
    secret.write_text("a secret of the service")
    live, over = old
    (live.folder / "00000003.m4s").symlink_to(secret)
    (live.folder / "00000004.m4s").mkdir()
    await over.change(folder="../elsewhere")
    extra = await over.session() | {"_id": "x", "folder": 5, "role": None}
    await ctx.store.rows(EgressSession).insert_one(extra)
    await ctx.store.upgrade(ctx.settings.media_root)
    assert_moved([live])
    assert secret.read_text() == "a secret of the service"
    assert await version_of(ctx.store) == version.VERSION
