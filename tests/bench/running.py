"""The service's real processes on embedded stores of their own, and what their clients need."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import psutil

from app.access.token_issue import issue_token
from app.condition import pulses
from app.context import Context, opened
from app.models import ProcessRole
from app.processes.child import Child
from app.processes.embedded import embedded_stores
from app.processes.free_ports import choose_ports
from app.settings import Settings, load
from tests.bench.ground import Ground
from tests.bench.recorded import ROOM

API_KEY, API_SECRET = "benchkey", "the-secret-of-the-bench-of-32-bytes"
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
_STORES = {"secantusd-py": "mongo", "valkey-server": "redis"}
_A_DAY_IN_MINUTES = 1440.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Installation:
    """A running service. `ctx` is open in the loop that started it."""

    settings: Settings
    ctx: Context
    children: dict[str, Child]

    def pids(self, *roles: str) -> list[int]:
        """The processes of roles; `mongo` and `redis` are the stores."""
        found = {role: child.pid for role, child in self.children.items() if child.pid}
        for process in psutil.Process().children(recursive=True):
            command = " ".join(process.cmdline())  # Valkey writes its own into one word
            for program, role in _STORES.items():
                if program in command:
                    found[role] = process.pid
        return [found[role] for role in roles]

    def headers(self, identity: str, room: str = ROOM) -> dict[str, str]:
        """Those of somebody who is in a room."""
        token = issue_token(self.settings, identity, room=room, ttl=timedelta(hours=6))
        return {"Authorization": f"Bearer {token}"}

    def client(self, identity: str, room: str = ROOM) -> httpx.Client:
        return httpx.Client(
            base_url=self.settings.base_url,
            headers=self.headers(identity, room),
            timeout=60,
            trust_env=False,
        )


@asynccontextmanager
async def installation(
    ground: Ground,
    name: str,
    roles: Sequence[str] = ("api", "worker", "indexer"),
    *,
    media_root: Path | None = None,
    before: Callable[[Context], object] | None = None,
    **given: object,
) -> AsyncIterator[Installation]:
    """Runs these processes on fresh stores until the block ends.

    `before` is awaited with the open stores before any process runs: cleanup would take media
    without rows for stray. `given` are settings. Nothing is ever too old here, and nothing recurs
    unless it is asked for.
    """
    folder = ground.scratch / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        urls = await stack.enter_async_context(embedded_stores(folder / "data"))
        fields: dict[str, object] = {
            "livekit_url": "ws://127.0.0.1:9",  # discard: nothing listens there
            "livekit_api_key": API_KEY,
            "livekit_api_secret": API_SECRET,
            "port": choose_ports(["http"], folder / "ports.json")["http"],
            "data_dir": folder / "data",
            "file_upload_dest": media_root or folder / "media",
            "free_space_min_bytes": 0,
            "quota_bytes": 2**50,
            "max_concurrent": 100_000,
            "max_concurrent_per_user": 100_000,
            "captures_pending_per_user": 100_000,
            "captures_per_minute": 0,
            "captures_per_hour": 0,
            "requests_per_minute": 0,
            "max_capture_minutes": 90.0,
            "retention_minutes": _A_DAY_IN_MINUTES,
            "cleanup_minutes": _A_DAY_IN_MINUTES,
            "reap_minutes": _A_DAY_IN_MINUTES,
            "reconcile_seconds": 3600.0,
            "log_level": "warning",
            "mongo_url": urls["MONGO_URL"],
            "redis_url": urls["REDIS_URL"],
        } | given
        settings = load(_env_file=None, **fields)
        ctx = await stack.enter_async_context(opened(settings))
        if before is not None:
            await before(ctx)  # type: ignore[misc]
        environment = {key.upper(): str(value) for key, value in fields.items()}
        children: dict[str, Child] = {}
        for role in roles:
            child = Child(
                role,
                [sys.executable, "-m", "app", role],
                env=environment,
                cwd=ROOT,
                log_path=folder / f"{role}.log",
            )
            stack.push_async_callback(child.stop, STOP_SECONDS)
            child.start()
            children[role] = child
        running = Installation(settings, ctx, children)
        await _until_ready(running, folder)
        yield running


async def _until_ready(running: Installation, folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    missing = list(running.children)
    while missing:
        role = missing[0]
        child = running.children[role]
        if await _is_ready(running, role):
            del missing[0]
        elif child.exits or time.monotonic() > deadline:
            log = (folder / f"{role}.log").read_text(errors="replace")
            raise RuntimeError(f"{role} does not get ready; its log ends with:\n{log[-3000:]}")
        else:
            await asyncio.sleep(0.05)


async def _is_ready(running: Installation, role: str) -> bool:
    if role != "api":
        return await pulses.is_alive(running.ctx, ProcessRole(role))
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            found = await client.get(f"{running.settings.base_url}/healthz")
    except httpx.TransportError:
        return False
    return found.status_code == httpx.codes.OK


def clean_environment() -> None:
    """Takes the developer's own settings out of this process's environment."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
