"""A service whose egress workers share no folder with it: they upload into a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.seaweed import Seaweed
from tests.e2e.conftest import World, whole_world
from tests.e2e.test_terminal import _capture
from tests.egress_in_bucket import Bucket
from tests.waiting import wait_for


@pytest_asyncio.fixture(scope="module")
async def seaweed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seaweed]:
    async with Seaweed(tmp_path_factory.mktemp("seaweed")) as store:
        await store.make_bucket("buffer")
        yield store


@pytest_asyncio.fixture(scope="module")
async def world(seaweed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("far-world")
    async with whole_world(folder, **seaweed.buffer_settings("buffer")) as made:
        yield made


@pytest.mark.heavy
async def test_a_share_that_egress_uploads_is_captured(
    world: World, seaweed: Seaweed, room: str, tmp_path: Path
) -> None:
    settings = {k.lower(): v for k, v in seaweed.buffer_settings("buffer").items()}
    bucket = Bucket(settings, seaweed.endpoint)
    output = tmp_path / "clip.mp4"
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        code, _, error = await _capture(world, room, "alice", "--last", "4s", "-o", str(output))
        assert (code, error) == (0, "")
    assert output.read_bytes()[4:8] == b"ftyp"
    await world.wait_for_buffer(room, state="ended")
    await wait_for(lambda: not [key for key in bucket.listed() if key.endswith(".ts")])
    left = {key.rpartition("/")[2] for key in bucket.listed()}
    assert left == {".instance", "full.m3u8", "live.m3u8"}
    assert all(key.startswith("replay/buffer/") for key in bucket.listed())
