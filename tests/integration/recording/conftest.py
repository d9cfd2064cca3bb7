"""The receiver alone, on real stores; and what the stores are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, monitoring
from starlette.applications import Starlette

from app.api import problems, web_state
from app.context import Context
from app.webhooks import receiver
from app.work.share_rates import ShareRates
from handlers import router
from tests import webhooks
from tests.integration.conftest import MakeSettings
from tests.integration.recording.sharing import Sharer
from tests.serving import Running

Send = Callable[..., Awaitable[httpx.Response]]


@pytest_asyncio.fixture
async def http(ctx: Context) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=receiver.routes, exception_handlers=problems.HANDLERS)
    async with web_state.opened(ctx) as web:
        transport = httpx.ASGITransport(Running(app, {"web": web, "webhooks": router}))
        async with httpx.AsyncClient(transport=transport, base_url="http://replay.test") as client:
            yield client


@pytest.fixture
def send(http: httpx.AsyncClient) -> Send:
    """Sends an event as LiveKit does."""

    async def post(content: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else webhooks.body_of(content)
        signed = {"Authorization": webhooks.sign(body), "Content-Type": "application/webhook+json"}
        return await http.post("/webhooks/livekit", content=body, headers=signed | headers)

    return post


@dataclass
class Asked(monitoring.CommandListener):
    """The commands that the database was sent, and Redis."""

    database: list[str] = field(default_factory=list)
    redis: list[str] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if not event.command_name.startswith("sasl"):  # one more connection of the pool
            self.database.append(f"{event.command_name}:{event.command[event.command_name]}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Counted when it was sent."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Counted when it was sent."""


@pytest_asyncio.fixture
async def asked(ctx: Context) -> AsyncIterator[Asked]:
    counted = Asked()
    first = ctx.store.client
    name = ctx.store.database.name
    ctx.store.client = AsyncMongoClient(
        ctx.settings.mongo_url, tz_aware=True, event_listeners=[counted]
    )
    ctx.store.database = ctx.store.client[name]
    yield counted
    await ctx.store.client.close()
    ctx.store.client, ctx.store.database = first, first[name]


@pytest.fixture
def quick(ctx: Context, make_settings: MakeSettings) -> Context:
    """One whose shares begin at once."""
    settings = make_settings(audio_wait_seconds=0, max_concurrent_per_user=5, max_concurrent=100)
    return replace(ctx, settings=settings, shares=ShareRates(1000))


@pytest.fixture
def alice(quick: Context, send: Send) -> Sharer:
    return Sharer(quick, send)
