"""A local LiveKit in child processes: Valkey, livekit-server, egress stand-ins.

Used by `deploy/up` and by every test that needs the real server. All parts listen on free
ports of 127.0.0.1, keep their files in one given folder, and only these children are ever ended.

    async with LiveKitStack(folder, webhook_urls=[url]) as stack:
        token = stack.token("alice", "room")
        await stack.kill("egress")          # SIGKILL
        await stack.start("egress")
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import redis.asyncio
import yaml
from livekit import api

from app.processes.bound_process import signal_group, spawn
from app.processes.free_ports import choose_ports
from app.processes.store_programs import STORES
from deploy.local.standin.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
PATIENCE_SECONDS = 2.0
STOP_SECONDS = 30.0


class PartFailed(RuntimeError):
    """A part did not become ready, or did not end; the message holds the end of its log."""


def livekit_binary() -> Path:
    """The livekit-server to run: $LIVEKIT_SERVER, else deploy/setup's, else `go install`'s."""
    named = os.environ.get("LIVEKIT_SERVER")
    installed = [Path(sys.prefix) / "libexec/livekit-server", Path.home() / "go/bin/server"]
    places = [Path(named)] if named else installed
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"no livekit-server at {' or '.join(map(str, places))}: run deploy/setup, or set "
        "LIVEKIT_SERVER to a livekit-server v1.13.5"
    )


def valkey_command() -> list[str]:
    """The Valkey that the service embeds, too."""
    command = STORES["REDIS_URL"].find()
    if command is None:
        raise FileNotFoundError("no valkey-server in this environment: run deploy/setup")
    return command


class Part:
    """One child process: its command, its log file, and the way to see that it is ready."""

    def __init__(self, name: str, command: list[str], log: Path, environment: Mapping[str, str]):
        self.name = name
        self.command = command
        self.log = log
        self.environment = environment
        self.process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Run the command in a session of its own; it dies with us.

        Of our environment it sees little: each setting of livekit-server and of SeaweedFS may be a
        variable, too, and is one of the service's as LIVEKIT_KEYS is.
        """
        with self.log.open("ab") as log:
            self.process = await spawn(
                self.command, cwd=ROOT, env=self.environment, bare=True, stdout=log, stderr=log
            )

    async def end(self, sign: signal.Signals) -> None:
        """Send `sign` to the whole session and wait; SIGKILL after STOP_SECONDS."""
        if self.process is None or self.process.returncode is not None:
            return
        # livekit-server waits for its rooms to empty, until it is told a second time.
        for attempt, seconds in (
            (sign, PATIENCE_SECONDS),
            (sign, STOP_SECONDS),
            (signal.SIGKILL, STOP_SECONDS),
        ):
            signal_group(self.process, attempt)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), seconds)
                return
        raise PartFailed(f"{self.name} (pid {self.process.pid}) did not end\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.log}\n" + "\n".join(text.splitlines()[-lines:])


class LiveKitStack:
    """valkey-server, livekit-server v1.13.5 and `workers` egress stand-ins, as children.

    Parts are named "valkey", "livekit", "egress" (then "egress2", "egress3", …). Ports stay the
    same over a restart, and in the next stack on the same folder.

    :param folder: holds configuration, logs and Valkey's data; made if absent.
    :param webhook_urls: where livekit-server posts its events.
    :param livekit_port: HTTP port of livekit-server; a free one if None.
    :param api_secret: a fresh one if None.
    :param egress_arguments: more options for every stand-in, such as `--max 1`.
    :param detours: ports by which one part reaches another, in place of that one's own: for
        "livekit-valkey", "egress-valkey", "egress-livekit".
    """

    def __init__(
        self,
        folder: Path,
        *,
        webhook_urls: Iterable[str] = (),
        workers: int = 1,
        livekit_port: int | None = None,
        api_key: str = "devkey",
        api_secret: str | None = None,
        egress_arguments: Iterable[str] = (),
        detours: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.webhook_urls = list(webhook_urls)
        self.api_key = api_key
        self.api_secret = api_secret or secrets.token_hex(32)
        self.egress_names = ["egress", *(f"egress{n}" for n in range(2, workers + 1))][:workers]
        self.egress_arguments = list(egress_arguments)
        folder.mkdir(parents=True, exist_ok=True)
        ports = choose_ports(["valkey", "livekit", "media"], folder / "ports.json")
        self.redis_port = ports["valkey"]
        self.livekit_port = livekit_port or ports["livekit"]
        self.media_port = ports["media"]
        own = {
            "livekit-valkey": self.redis_port,
            "egress-valkey": self.redis_port,
            "egress-livekit": self.livekit_port,
        }
        self._ways = {way: f"127.0.0.1:{port}" for way, port in (own | dict(detours or {})).items()}
        self._parts: dict[str, Part] = {}
        # Whoever may publish there has egress record any screen into any file.
        self._redis_password = secrets.token_hex(32)

    @property
    def url(self) -> str:
        """The WebSocket URL for rooms; the API takes it too."""
        return f"ws://127.0.0.1:{self.livekit_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://:{self._redis_password}@127.0.0.1:{self.redis_port}/0"

    def token(self, identity: str, room: str) -> str:
        """An access token that may join `room` and publish there, valid for 6 hours."""
        grants = api.VideoGrants(room_join=True, room=room)
        token = api.AccessToken(self.api_key, self.api_secret).with_identity(identity)
        return token.with_grants(grants).with_ttl(datetime.timedelta(hours=6)).to_jwt()

    def set_faults(self, faults: Mapping[str, Any], worker: str = "egress") -> None:
        """Give one stand-in its faults (`deploy/local/standin/faults.py`); {} ends them all."""
        Faults(**faults)
        path = self._faults_path(worker)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(faults))
        part.replace(path)

    @property
    def names(self) -> list[str]:
        """The parts, in their order of start."""
        return list(self._parts)

    def running(self, name: str) -> bool:
        """Whether a part was started and has not ended."""
        return self._parts[name].running

    def pid(self, name: str) -> int:
        """The process id of a running part."""
        process = self._parts[name].process
        if process is None:
            raise PartFailed(f"{name} was not started")
        return process.pid

    def log(self, name: str) -> str:
        """The end of one part's log."""
        return self._parts[name].tail()

    async def __aenter__(self) -> Self:
        self._write()
        try:
            for name in self._parts:
                await self.start(name)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End all parts, last started first."""
        for name in reversed(self._parts):
            await self.stop(name)

    async def start(self, name: str) -> None:
        """Start one part and wait until it answers."""
        part = self._parts[name]
        if part.running:
            return
        self._ready_path(name).unlink(missing_ok=True)
        await part.start()
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not await self._is_ready(name):
            if not part.running:
                raise PartFailed(f"{name} ended with {part.process.returncode}\n{part.tail()}")  # type: ignore[union-attr]  # set by start()
            if asyncio.get_running_loop().time() > deadline:
                raise PartFailed(f"{name} is not ready after {READY_SECONDS} s\n{part.tail()}")
            await asyncio.sleep(0.02)

    async def stop(self, name: str) -> None:
        """SIGTERM, and wait."""
        await self._parts[name].end(signal.SIGTERM)

    async def kill(self, name: str) -> None:
        """SIGKILL, and wait."""
        await self._parts[name].end(signal.SIGKILL)

    async def _is_ready(self, name: str) -> bool:
        if name == "valkey":
            client = redis.asyncio.Redis.from_url(self.redis_url)
            try:
                return bool(await client.ping())
            except redis.asyncio.RedisError:
                return False
            finally:
                await client.aclose()
        if name == "livekit":
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.livekit_port)
                writer.write(b"GET / HTTP/1.0\r\n\r\n")
                status = await reader.readline()
            except OSError:
                return False
            writer.close()
            return b" 200 " in status
        return self._ready_path(name).exists()

    def _ready_path(self, name: str) -> Path:
        return self.folder / f"{name}.ready"

    def _faults_path(self, name: str) -> Path:
        return self.folder / f"{name}.faults.json"

    def _write(self) -> None:
        """Write both configuration files, and define the parts in their order of start."""
        data = self.folder / "valkey"
        data.mkdir(parents=True, exist_ok=True)
        livekit_yaml = self.folder / "livekit.yaml"
        # With `lo` as the only interface 127.0.0.1:udp_port is the only candidate. A tcp_port
        # (7881 if left out) would be opened on all addresses, and by one server only.
        livekit: dict[str, Any] = {
            "port": self.livekit_port,
            "bind_addresses": ["127.0.0.1"],
            "redis": self._redis("livekit-valkey"),
            "keys": {self.api_key: self.api_secret},
            "rtc": {
                "node_ip": "127.0.0.1",
                "enable_loopback_candidate": True,
                "use_external_ip": False,
                "udp_port": self.media_port,
                "tcp_port": 0,
                "interfaces": {"includes": ["lo"]},
            },
        }
        if self.webhook_urls:
            livekit["webhook"] = {"api_key": self.api_key, "urls": self.webhook_urls}
        _write_secret(livekit_yaml, yaml.safe_dump(livekit))
        egress_yaml = self.folder / "egress.yaml"
        egress: dict[str, Any] = {
            "redis": self._redis("egress-valkey"),
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "ws_url": f"ws://{self._ways['egress-livekit']}",
        }
        _write_secret(egress_yaml, yaml.safe_dump(egress))
        valkey_conf = self.folder / "valkey.conf"
        _write_secret(valkey_conf, f"requirepass {self._redis_password}\n")

        valkey = [*valkey_command(), str(valkey_conf)]
        valkey += ["--port", str(self.redis_port), "--bind", "127.0.0.1"]
        # An append-only file, so that what was acknowledged survives a SIGKILL of the process.
        valkey += ["--dir", str(data), "--appendonly", "yes", "--save", ""]
        server = [str(livekit_binary()), "--config", str(livekit_yaml)]
        self._add("valkey", valkey, {})
        self._add("livekit", server, {})
        for name in self.egress_names:
            worker = [sys.executable, "-m", "deploy.local.standin", "--config", str(egress_yaml)]
            worker += ["--ready-file", str(self._ready_path(name))]
            worker += ["--faults", str(self._faults_path(name)), *self.egress_arguments]
            self._add(name, worker, {"TZ": "UTC"})

    def _redis(self, way: str) -> dict[str, str]:
        return {"address": self._ways[way], "password": self._redis_password}

    def _add(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self._parts[name] = Part(name, command, self.folder / f"{name}.log", environment)


def _write_secret(path: Path, text: str) -> None:
    """A file that nobody but its owner ever reads."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(text)
