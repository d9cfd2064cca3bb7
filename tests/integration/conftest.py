"""Real stores for the integration tests, and a Context on a database and media root of its own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from app.context import Context, opened
from app.processes.embedded import embedded_stores
from app.settings import Settings, load
from deploy.local.seaweed import Seaweed
from tests.conftest import MONGO_URL
from tests.in_memory import memory_folder
from tests.integration.queued import empty_redis
from tests.object_front import ObjectFront

LIVEKIT_API_KEY = "devkey"
LIVEKIT_API_SECRET = "the-secret-of-the-tests-of-32-bytes"

MakeSettings = Callable[..., Settings]


@pytest_asyncio.fixture(scope="session")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """URLs of a running MongoDB (MONGO_URL, if that is set) and a running Valkey."""
    wanted = ["REDIS_URL"] if MONGO_URL else ["MONGO_URL", "REDIS_URL"]
    with memory_folder(tmp_path_factory.mktemp("stores")) as folder:
        async with embedded_stores(folder, wanted) as urls:
            yield {"MONGO_URL": MONGO_URL, **urls}


@pytest_asyncio.fixture(scope="session")
async def seaweed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seaweed]:
    """A running SeaweedFS: an object store that speaks S3."""
    async with Seaweed(tmp_path_factory.mktemp("seaweed")) as store:
        yield store


@pytest_asyncio.fixture
async def in_bucket(seaweed: Seaweed) -> dict[str, str]:
    """The settings of an installation whose clips are in a bucket of its own."""
    bucket = f"test-{secrets.token_hex(6)}"
    await seaweed.make_bucket(bucket)
    return {name.lower(): value for name, value in seaweed.clip_settings(bucket).items()}


@pytest_asyncio.fixture
async def far_buffer(seaweed: Seaweed) -> dict[str, str]:
    """The settings of an installation whose egress writes in a bucket of its own."""
    bucket = f"test-{secrets.token_hex(6)}"
    await seaweed.make_bucket(bucket)
    return {name.lower(): value for name, value in seaweed.buffer_settings(bucket).items()}


@pytest.fixture
def both_behind_front(
    in_bucket: dict[str, str], far_buffer: dict[str, str], front: ObjectFront
) -> dict[str, str]:
    """The settings of an installation whose clips, and whose egress, are in buckets behind it."""
    return in_bucket | far_buffer | {"s3_endpoint": front.endpoint}


@pytest_asyncio.fixture
async def front(seaweed: Seaweed) -> AsyncIterator[ObjectFront]:
    """What stands before SeaweedFS, and may answer in its place."""
    async with ObjectFront(seaweed.endpoint).served() as served:
        yield served


def _with_database(mongo_url: str, database: str) -> str:
    return urlunsplit(urlsplit(mongo_url)._replace(path=f"/{database}"))


@pytest.fixture
def make_settings(stores: dict[str, str], tmp_path: Path) -> MakeSettings:
    """Makes the settings of a test: its own database and media root; `given` fields go first.

    Called again in the same test it gives the same database and media root, as a restart would.
    """
    mongo_url = _with_database(stores["MONGO_URL"], f"test_{secrets.token_hex(6)}")

    def make(**given: object) -> Settings:
        defaults = {
            "livekit_url": "ws://127.0.0.1:9",  # discard: nothing listens there
            "livekit_api_key": LIVEKIT_API_KEY,
            "livekit_api_secret": LIVEKIT_API_SECRET,
            "mongo_url": mongo_url,
            "redis_url": stores["REDIS_URL"],
            "data_dir": tmp_path / "data",
            "free_space_min_bytes": 0,
            "trash_days": 0,
        }
        return load(_env_file=None, **(defaults | given))

    return make


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings of the test. A module or test that needs others overrides this fixture."""
    return make_settings()


@pytest_asyncio.fixture
async def ctx(settings: Settings) -> AsyncIterator[Context]:
    """An open Context: an empty database with its indexes, an empty media root, an empty queue."""
    async with opened(settings) as context:
        await empty_redis(context)
        try:
            yield context
        finally:
            await context.store.client.drop_database(context.store.database)
