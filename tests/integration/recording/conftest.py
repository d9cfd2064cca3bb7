"""The receiver alone, on real stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from app.api import problems, web_state
from app.context import Context
from app.webhooks import receiver
from handlers import router
from tests import webhooks
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
