"""The service as its users run it: `python -m app` in a process of its own, beside a LiveKit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from livekit import api

from app.models import ProcessRole
from app.processes.free_ports import choose_ports
from app.processes.process_name import PREFIX
from deploy.local.stack import ROOT
from tests.plain_http import plain_client
from tests.waiting import PATIENCE_SECONDS, wait_for

READY_SECONDS = 90.0
STORES = {"store": "secantusd-py", "queue": "valkey-server"}
PARSER = "app.indexing.parser_program"
PROGRAMS = {role: f"{PREFIX}{role}" for role in ProcessRole.of_service()} | {
    "parser": PARSER,
    **STORES,
}
"""By process of the service: its name, or a word of its command line that no other one has."""


def programs(
    processes: Iterable[psutil.Process], wanted: Mapping[str, str] = PROGRAMS
) -> dict[str, int]:
    """Which of these programs they are: process ids by name."""
    found: dict[str, int] = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # one that has ended meanwhile
            # Valkey writes its address behind its name, in one argument
            words = [Path(word).name for part in process.cmdline() for word in part.split()]
            words.append(process.name())
            found |= {name: process.pid for name, word in wanted.items() if word in words}
    return found


class Service:
    """`python -m app`, with embedded stores under `folder`.

    `settings` are environment variables; more may be given with each `start`. Ports and files stay
    the same over a restart.
    """

    def __init__(self, folder: Path, api_key: str, api_secret: str, **settings: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = choose_ports(["http"], folder / "ports.json")["http"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook_url = f"{self.url}/webhooks/livekit"
        self.media_root = folder / "media"
        self._key, self._secret = api_key, api_secret
        self.settings = {
            "LIVEKIT_API_KEY": api_key,
            "LIVEKIT_API_SECRET": api_secret,
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "data"),
            "FILE_UPLOAD_DEST": str(self.media_root),
            "ENCODING": "640x360@15:600",
            "RECONCILE_SECONDS": "3",
            "FREE_SPACE_MIN_BYTES": "0",
            "LOG_LEVEL": "debug",
        } | settings
        self._process: asyncio.subprocess.Process | None = None
        self.log_path = folder / "service.log"

    async def start(self, *arguments: str, **settings: str) -> None:
        """Starts the service, and waits until every part of it is ready.

        `arguments` follow `python -m app`.
        """
        own = {name: value for name, value in os.environ.items() if name not in ("MONGO_URL",)}
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", *arguments),
                cwd=ROOT,
                env=own | self.settings | settings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await wait_for(self._ready, READY_SECONDS, what=f"service is ready; see {self.log_path}")

    async def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.log()
        try:
            async with plain_client() as client:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """SIGTERM, as an operator would; the whole tree ends."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL to every process of the tree at once, the stores included."""
        await self._end(signal.SIGKILL)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    def pids(self) -> dict[str, int]:
        """Its processes that run now: supervisor, api, worker, indexer, and its own stores."""
        if not self.running:
            return {}
        assert self._process is not None
        found = {"supervisor": self._process.pid}
        with suppress(psutil.NoSuchProcess):  # it has just ended
            found |= programs(psutil.Process(self._process.pid).children(recursive=True))
        return found

    def kill_stores(self) -> set[str]:
        """SIGKILL to the embedded stores alone; the names of those that were killed."""
        stores = {name: pid for name, pid in self.pids().items() if name in STORES}
        for pid in stores.values():
            os.kill(pid, signal.SIGKILL)
        return set(stores)

    async def _end(self, sign: signal.Signals) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        os.killpg(self._process.pid, sign)
        await asyncio.wait_for(self._process.wait(), PATIENCE_SECONDS)

    def log(self, lines: int = 60) -> str:
        """The end of the service's log."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def token(self, identity: str, room: str | None = None, **grants: Any) -> str:
        """An access token as an app would make it for somebody who joins `room`."""
        video = api.VideoGrants(room_join=room is not None, room=room or "", **grants)
        made = api.AccessToken(self._key, self._secret).with_identity(identity).with_grants(video)
        return made.to_jwt()

    def admin(self) -> httpx.AsyncClient:
        """An HTTP client of an instance admin."""
        return self._client(
            self.token("operator", room_admin=True, room_list=True, room_create=True)
        )

    def client(self, identity: str, room: str) -> httpx.AsyncClient:
        """An HTTP client of somebody in a room."""
        return self._client(self.token(identity, room))

    def _client(self, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        return plain_client(base_url=self.url, headers=headers)
