"""The application on real stores, callers with their tokens, and a share with media."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from livekit.api import AccessToken, VideoGrants
from starlette.applications import Starlette

from app.context import Context
from app.main import create_app
from app.settings import Settings
from handlers import router
from tests.egress_on_disk import LIVE_WINDOW
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET
from tests.media_factory import MediaFactory, Recording, Shape
from tests.serving import Running, running

ROOM = "room"
SHARER = "ann"


def token(
    identity: str = SHARER,
    room: str = ROOM,
    *,
    key: str = LIVEKIT_API_KEY,
    secret: str = LIVEKIT_API_SECRET,
    ttl: timedelta = timedelta(days=1),
    **grants: Any,
) -> str:
    """A join token of `identity` for `room`; without a room, one that joins nothing."""
    video = VideoGrants(room=room, room_join=bool(room) or None, **grants)
    return (
        AccessToken(key, secret).with_identity(identity).with_ttl(ttl).with_grants(video).to_jwt()
    )


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


OWNER = bearer(token())
STRANGER = bearer(token("bob"))
ROOM_ADMIN = bearer(token("mod", room_admin=True))
INSTANCE_ADMIN = bearer(token("ops", room="", room_admin=True, room_list=True, room_create=True))


@pytest_asyncio.fixture
async def app(ctx: Context, settings: Settings) -> AsyncIterator[Running]:
    """The application within its lifespan, on the stores of the test's `ctx`."""
    async with running(create_app(settings, router)) as app:
        yield app


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application, without a token, within its lifespan."""
    async with running(app) as served, client_in(served) as client:
        yield client


def client_in(app: Running, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 123))
    return httpx.AsyncClient(transport=transport, base_url="http://replay.test")


@pytest_asyncio.fixture
async def http(app: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, without a token."""
    async with client_in(app) as client:
        yield client


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """20 s in 10 segments of 2 s, 160x120 at 15 frames a second, with sound."""
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape(frames=300))


MakeShare = Callable[..., Awaitable[DiskShare]]


@pytest.fixture
def share(ctx: Context, recording: Recording) -> MakeShare:
    """Makes a share whose media is indexed: `await share()`; it began `age` seconds ago."""

    async def make(
        name: str = SHARER, *, age: float = 25.0, media: Recording | None = None, **given: object
    ) -> DiskShare:
        start = datetime.now(UTC) - timedelta(seconds=age)
        made = await begin_share(ctx, name, start, media or recording, **given)
        count = len(made.media.segments)
        async with indexing(ctx):
            # No more at once than the live playlist names.
            for done in range(0, count, LIVE_WINDOW):
                made.commit(min(LIVE_WINDOW, count - done))
                await made.indexed(min(done + LIVE_WINDOW, count))
        return made

    return make
