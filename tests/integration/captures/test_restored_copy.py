"""A copy of both folders, made while nothing ran, is the installation: deploy/README.md says so."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from app.cleaning import buffer_invariants
from app.clips import clip_invariants, library
from app.context import Context, opened
from app.processes.embedded import embedded_stores
from app.settings import load
from app.storage import clip_files
from app.viewing import stored_timelines
from tests.integration.captures.checking import captured
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET


class Installation:
    """Embedded stores and a media root in one folder, open from `start` to `stop`."""

    ctx: Context

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = AsyncExitStack()

    async def start(self) -> Context:
        urls = await self._open.enter_async_context(embedded_stores(self.folder / "data"))
        settings = load(
            _env_file=None,
            livekit_api_key=LIVEKIT_API_KEY,
            livekit_api_secret=LIVEKIT_API_SECRET,
            data_dir=self.folder / "data",
            file_upload_dest=self.folder / "media",
            free_space_min_bytes=0,
            **{name.lower(): url for name, url in urls.items()},
        )
        self.ctx = await self._open.enter_async_context(opened(settings))
        return self.ctx

    async def stop(self) -> None:
        await self._open.aclose()


@pytest_asyncio.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    running = Installation(tmp_path / "here")
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def ctx(installation: Installation) -> Context:
    """The Context of the installation, for the shares that are made in it."""
    return installation.ctx


async def test_a_copy_goes_on_elsewhere(
    installation: Installation, ended_share: MakeShare, tmp_path: Path
) -> None:
    """Buffer, clip, quota and file are there, and what always holds does."""
    [share] = await ended_share()
    made = await captured(installation.ctx, ADA, last=5, title="kept")
    assert made.clip is not None
    await installation.stop()
    shutil.copytree(installation.folder, tmp_path / "elsewhere")
    shutil.rmtree(installation.folder)

    restored = Installation(tmp_path / "elsewhere")
    ctx = await restored.start()
    try:
        clip = await library.find(ctx, ADA, made.clip["_id"])
        path = clip_files.locate(ctx.settings.media_root, clip.file["storage_path"])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert clip.file["checksum"] == f"sha256:{digest}"
        line = await stored_timelines.read(
            ctx.store, share.buffer_id, datetime.now(UTC), ctx.settings
        )
        assert line is not None
        assert line.seconds > 19
        later = datetime.now(UTC) + timedelta(minutes=5)  # when nothing may be on its way any more
        found = [each async for each in buffer_invariants.violations(ctx, later)]
        found += [each async for each in clip_invariants.violations(ctx, later)]
        assert found == []
    finally:
        await restored.stop()
