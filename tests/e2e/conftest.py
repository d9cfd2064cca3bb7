"""A real LiveKit and the whole service, once for all end-to-end tests; each uses its own rooms."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.processes.free_ports import choose_ports
from deploy.local.stack import LiveKitStack
from tests.publisher import Publisher
from tests.service import Service
from tests.waiting import wait_for

CLOUD_KEY, CLOUD_SECRET = "cloudkey", secrets.token_hex(32)
"""A second key pair, which the service knows: that of a LiveKit whose webhooks it does not get."""


@dataclass
class World:
    """LiveKit, the service, and an admin's view of it."""

    stack: LiveKitStack
    service: Service
    admin: httpx.AsyncClient
    environment: dict[str, str]
    page_ports: tuple[int, ...]
    """Where the pages of apps are that may call the service, and embed what its links show."""

    async def start_service(self, *arguments: str) -> None:
        """Starts the service, again, with the settings that it had."""
        await self.service.start(*arguments, **self.environment)

    def share(self, room: str, identity: str = "alice", *arguments: str) -> Publisher:
        """Somebody who shares a screen of 640x360 at 15 fps, with sound."""
        return Publisher(self.stack, room, identity, *arguments)

    def set_faults(self, faults: dict[str, Any]) -> None:
        """Gives every egress worker these faults; {} ends them all."""
        for worker in self.stack.egress_names:
            self.stack.set_faults(faults, worker)

    async def buffers(self, room: str) -> list[dict[str, Any]]:
        answer = await self.admin.get("/buffers", params={"room": room})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def buffer(self, room: str) -> dict[str, Any] | None:
        """The newest buffer of a room, in full; None as long as there is none."""
        found = await self.buffers(room)
        if not found:
            return None
        newest = max(found, key=lambda item: item["since"])
        answer = await self.admin.get(f"/buffers/{newest['id']}")
        assert answer.status_code == 200, answer.text
        full: dict[str, Any] = answer.json()
        return full

    async def wait_for_buffer(
        self, room: str, *, state: str = "recording", seconds: float = 0.0
    ) -> dict[str, Any]:
        """Waits until the room's newest buffer is in a state and holds so many seconds."""

        async def there() -> dict[str, Any] | None:
            found = await self.buffer(room)
            if found and found["state"] == state and found["seconds"] >= seconds:
                return found
            return None

        return await wait_for(there, what=f"{room}: {state} with {seconds:g} s")

    async def egresses(self, room: str) -> list[Any]:
        """LiveKit's egresses of a room that run."""
        from livekit import api

        client = api.LiveKitAPI(self.stack.url, self.stack.api_key, self.stack.api_secret)
        try:
            listed = await client.egress.list_egress(
                api.ListEgressRequest(room_name=room, active=True)
            )
        finally:
            await client.aclose()
        return list(listed.items)


@asynccontextmanager
async def _chat() -> AsyncIterator[str]:
    """A server that takes whatever it is told; its URL."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest_asyncio.fixture(scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with whole_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@asynccontextmanager
async def whole_world(folder: Path, **settings: str) -> AsyncIterator[World]:
    """A LiveKit and a service of their own; `settings`: more of the service's."""
    secret = secrets.token_hex(16)
    service = Service(folder / "service", "devkey", secret)
    stack = LiveKitStack(
        folder / "livekit",
        webhook_urls=[service.webhook_url],
        api_key="devkey",
        api_secret=secret,
        workers=2,
    )
    async with stack, _chat() as url:
        try:
            chat = {"EVENTS_URL": url, "EVENTS_KEY": "chat", "EVENTS_SECRET": secret}
            ports = tuple(choose_ports(["vanilla", "react"], folder / "pages.json").values())
            pages = ",".join(f"http://127.0.0.1:{port}" for port in ports)
            origins = {"CORS_ORIGINS": pages, "EMBED_ORIGINS": pages}
            keys = {"LIVEKIT_KEYS": f"{CLOUD_KEY}:{CLOUD_SECRET}"}
            environment = {"LIVEKIT_URL": stack.url, **keys, **chat, **origins, **settings}
            await service.start(**environment)
            async with service.admin() as admin:
                yield World(stack, service, admin, environment, ports)
        finally:
            await service.stop()


@pytest.fixture
def room() -> str:
    """The name of a room that no other test uses."""
    return f"room {secrets.token_hex(4)}"


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Any:
    """Ends the faults that a test has ordered."""
    yield
    if "world" in request.fixturenames:
        request.getfixturevalue("world").set_faults({})
