"""What is harmed: a LiveKit and the whole service, in real processes of their own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.context import Context, opened
from app.processes.embedded import embedded_stores, running_stores
from app.processes.free_ports import choose_ports, remembered_ports
from app.processes.store_programs import SOCKET
from app.settings import Settings, load
from deploy.local.stack import LiveKitStack
from tests.chaos.event_receiver import EventReceiver
from tests.chaos.link import Connect, Link, to_port, to_socket
from tests.chaos.plan import OUR_WAYS, STORE_WAYS, THEIR_WAYS
from tests.chaos.small_disk import SmallDisk
from tests.service import STORES, Service, programs

API_KEY = "chaos"
DISK_MEGABYTES = 256
SETTINGS = {
    "ENCODING": "320x180@10:200",
    "RETENTION_MINUTES": "1",
    "MARKER_MINUTES": "2",
    "CLEANUP_MINUTES": "0.1",
    "RECONCILE_SECONDS": "3",
    "CAPTURE_POLICY": "room",
    "CAPTURES_PENDING_PER_USER": "1000",
    "CAPTURES_PER_MINUTE": "0",
    "CAPTURES_PER_HOUR": "0",
    "REQUESTS_PER_MINUTE": "0",
    "FREE_SPACE_MIN_BYTES": str(16 * 2**20),
    "LOG_LEVEL": "info",
}
"""Short times, so that what goes after a while goes while something is being harmed."""


@dataclass(frozen=True)
class Site:
    """`folder` holds all of it, logs too. `links` by way; `stores`: their URLs if they are apart.

    `disk` is the media root's; None where it is the one that everything lies on.
    """

    folder: Path
    stack: LiveKitStack
    service: Service
    events: EventReceiver
    links: dict[str, Link]
    stores: dict[str, str]
    disk: SmallDisk | None

    def pids(self) -> dict[str, int]:
        """The processes that run, by name: those of the service, and LiveKit's."""
        theirs = {name: self.stack.pid(name) for name in self.stack.names}
        found = {n: pid for n, pid in theirs.items() if self.stack.running(n)}
        found |= self.service.pids()
        if self.stores:
            found |= programs(psutil.Process().children(), STORES)
        return found

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        """The service's own stores, opened from here. They must run."""
        stores = self.stores or running_stores(self.service.folder / "data")
        given = {name.lower(): value for name, value in (self.service.settings | stores).items()}
        settings: Settings = load(_env_file=None, **given)
        async with opened(settings) as ctx:
            yield ctx


@asynccontextmanager
async def site(folder: Path, *, stores_apart: bool, small_disk: bool) -> AsyncIterator[Site]:
    """Starts all of it in `folder`, and ends it.

    `stores_apart`: the stores are no part of the service. `small_disk`: the media root has a disk
    of its own, which takes root.
    """
    secret = secrets.token_hex(16)
    events = EventReceiver()
    ports = choose_ports(OUR_WAYS + THEIR_WAYS + STORE_WAYS, folder / "links.json")
    async with AsyncExitStack() as stack:

        async def link(way: str, connect: Connect) -> str:
            """Opens a way; the address that leads along it."""
            links[way] = await stack.enter_async_context(Link(connect).served(ports[way]))
            return f"127.0.0.1:{ports[way]}"

        links: dict[str, Link] = {}
        events_port = await stack.enter_async_context(events.served())
        chat = await link("service-events", to_port(events_port))
        given = {"EVENTS_URL": f"http://{chat}/", "EVENTS_KEY": "chat", "EVENTS_SECRET": secret}
        service = Service(folder / "service", API_KEY, secret, **SETTINGS | given)
        disk = SmallDisk(service.media_root) if small_disk else None
        if disk is not None:
            await stack.enter_async_context(disk.mounted(DISK_MEGABYTES))
        webhooks = await link("livekit-service", to_port(service.port))
        livekit = LiveKitStack(
            folder / "livekit",
            webhook_urls=[f"http://{webhooks}/webhooks/livekit"],
            api_key=API_KEY,
            api_secret=secret,
            detours={way: ports[way] for way in THEIR_WAYS},
        )
        await link("livekit-valkey", to_port(livekit.redis_port))
        await link("egress-valkey", to_port(livekit.redis_port))
        await link("egress-livekit", to_port(livekit.livekit_port))
        api = await link("service-livekit", to_port(livekit.livekit_port))
        service.settings["LIVEKIT_URL"] = f"ws://{api}"
        stores: dict[str, str] = {}
        if stores_apart:
            data = folder / "stores"
            stores = await stack.enter_async_context(embedded_stores(data))
            port = remembered_ports(data / "ports.json")["MONGO_URL"]
            far = await link("service-store", to_port(port))
            service.settings["MONGO_URL"] = stores["MONGO_URL"].replace(f"127.0.0.1:{port}", far)
            queue = await link("service-queue", to_socket(str(data / "redis" / SOCKET)))
            service.settings["REDIS_URL"] = f"redis://{queue}/0"
        await stack.enter_async_context(livekit)
        stack.push_async_callback(service.stop)
        await service.start()
        yield Site(folder, livekit, service, events, links, stores, disk)
