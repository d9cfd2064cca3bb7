"""One run of `deploy/up`: local LiveKit, service and demo, from start to end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from app.access.token_issue import issue_token
from app.processes.child import Child
from app.processes.free_ports import choose_ports, is_free
from app.processes.store_password import password_of
from app.settings import Settings, load
from deploy.local import demo, run_record
from deploy.local.seaweed import Seaweed
from deploy.local.stack import LiveKitStack

API_KEY = "devkey"
ENCODING = f"{demo.SIZE}@{demo.FPS}:1500"
ADMIN = "admin"
"""Whose token administrates the local instance."""
READY_SECONDS = 90.0
STOP_SECONDS = 30.0
BUCKET = "clips"
"""Of the SeaweedFS that egress writes into and that keeps clips, with `--s3`."""
PARTS = ("valkey", "livekit", "egress")


class UpFailed(Exception):
    """Something did not start; the text says what, and what to do."""


class LocalRun:
    """One run of deploy/up in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started = time.monotonic()
        self._record = run_record.Record()
        self._record.note("up", os.getpid())
        self._record.write(folder)
        for log in (*folder.glob("log/*.log"), *folder.glob("livekit/*.log")):
            log.unlink()

    def parts(self, service_port: int, livekit_port: int) -> tuple[LiveKitStack, dict[str, str]]:
        """The local LiveKit, not started yet, and the environment of the service on it."""
        livekit = LiveKitStack(
            self.folder / "livekit",
            webhook_urls=[f"http://127.0.0.1:{service_port}/webhooks/livekit"],
            livekit_port=livekit_port,
            api_key=API_KEY,
            api_secret=password_of(secret_path(self.folder)),
        )
        environment = {
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": livekit.api_secret,
            "HOST": "127.0.0.1",
            "PORT": str(service_port),
            "PUBLIC_URL": "",
            "DATA_DIR": str(self.folder / "data"),
            "MONGO_URL": "",
            "REDIS_URL": "",
            "FILE_UPLOAD_DEST": str(self.folder / "media"),
            "EGRESS_FILE_UPLOAD_DEST": str(self.folder / "media"),
            "ENCODING": os.environ.get("ENCODING", ENCODING),
        }
        return livekit, environment

    async def everything(self, *, with_demo: bool, with_s3: bool = False) -> None:
        """The local LiveKit, the service on it, and the demo; until cancelled."""
        livekit, environment = self.parts(self._port("service", 8000), self._port("livekit", 7880))
        async with AsyncExitStack() as stack:
            if with_s3:
                environment |= await self._bucket(stack)
            settings = load(**{name.lower(): value for name, value in environment.items()})
            self._say(f"starting LiveKit on {livekit.url}")
            await stack.enter_async_context(livekit)
            for name in PARTS:
                self._note(name, livekit.pid(name))
            service = await self._service(stack, settings, environment)
            children = [service]
            clip = ""
            if with_demo:
                share = demo.share(settings, livekit.url, self.folder / "log/share.log")
                await stack.enter_async_context(_kept(share))
                children.append(share)
                clip = await self._demo(settings, livekit)
            self._ready(summary(settings, self.folder, clip))
            await self._watch(livekit, children)

    async def service_only(self) -> None:
        """The service with the settings of the environment; until cancelled."""
        settings = load()
        async with AsyncExitStack() as stack:
            service = await self._service(stack, settings, {})
            self._ready(
                f"  console    {settings.base_url}/#token=$(.venv/bin/python -m app token admin "
                f"--admin)\n"
                f"  API        {settings.base_url}\n"
                f"  LiveKit    {settings.livekit_url}\n"
                f"  webhooks   {settings.base_url}/webhooks/livekit, signed with "
                f"{settings.livekit_api_key}\n"
                f"  encoding   {settings.encoding}\n"
                f"  logs       {self.folder / 'log'}"
            )
            await self._watch(None, [service])

    async def _bucket(self, stack: AsyncExitStack) -> dict[str, str]:
        """A SeaweedFS with a bucket: the settings of a service whose media and clips lie there."""
        store = Seaweed(self.folder / "seaweed")
        self._say(f"starting SeaweedFS on {store.endpoint}")
        await stack.enter_async_context(store)
        self._note("seaweed", store.pid)
        await store.make_bucket(BUCKET)
        return store.clip_settings(BUCKET) | store.buffer_settings(BUCKET)

    def _port(self, name: str, preferred: int) -> int:
        if is_free(preferred):
            return preferred
        other = choose_ports([name], self.folder / f"{name}.port")[name]
        self._say(f"port {preferred} is taken, so the {name} gets {other}")
        return other

    async def _service(
        self, stack: AsyncExitStack, settings: Settings, environment: dict[str, str]
    ) -> Child:
        """`python -m app`, ready."""
        self._say(f"starting the service on {settings.base_url}")
        log_path = self.folder / "log/service.log"
        service = Child(
            "service", [sys.executable, "-m", "app"], env=environment, log_path=log_path
        )
        await stack.enter_async_context(_kept(service))
        deadline = time.monotonic() + READY_SECONDS
        while not await _is_ready(f"http://{settings.host}:{settings.port}/readyz"):
            self._note("service", service.pid)
            if service.refused.is_set() or service.exits > 1 or time.monotonic() > deadline:
                raise UpFailed(
                    f"the service is not ready. {_tail(log_path)}\n"
                    "deploy/up: correct what it says and try again"
                )
            await asyncio.sleep(0.1)
        return service

    async def _demo(self, settings: Settings, livekit: LiveKitStack) -> str:
        self._say(f"{demo.IDENTITY} shares a screen in the room {demo.ROOM!r}")
        output = self.folder / "demo.mp4"
        try:
            buffer = await demo.until_buffered(settings)
            self._say(
                f"recorded without being asked: {buffer['media_seconds']:.0f} s so far, from "
                f"{buffer['oldest']}"
            )
            self._say(f"capturing the last {demo.CLIP.seconds} s")
            return await demo.first_clip(settings, output)
        except (demo.DemoFailed, httpx.HTTPError) as error:
            logs = [_tail(self.folder / "log" / name) for name in ("share.log", "service.log")]
            raise UpFailed("\n".join((str(error), *logs, livekit.log("egress")))) from error

    def _ready(self, summary: str) -> None:
        print(summary)
        self._say("ready; Ctrl-C or deploy/down ends it all")
        self._record.summary = summary
        self._record.write(self.folder)

    async def _watch(self, livekit: LiveKitStack | None, children: list[Child]) -> None:
        """Keeps the record true and the local LiveKit alive; Child does that for the others."""
        while True:
            for child in children:
                if child.refused.is_set():
                    log_path = self.folder / "log" / f"{child.name}.log"
                    raise UpFailed(f"the {child.name} has ended. {_tail(log_path)}")
                self._note(child.name, child.pid)
            if livekit:
                await self._revive(livekit)
            await asyncio.sleep(1)

    async def _revive(self, livekit: LiveKitStack) -> None:
        for name in PARTS:
            if not self._record.processes[name].runs:
                self._say(f"{name} has ended and is started again. {livekit.log(name)}")
                await livekit.start(name)
                self._note(name, livekit.pid(name))

    def _note(self, name: str, pid: int | None) -> None:
        before = self._record.processes.get(name)
        if before is None or before.pid != pid:
            self._record.note(name, pid)
            self._record.write(self.folder)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:6.1f} s  {text}", flush=True)


def secret_path(folder: Path) -> Path:
    """The file with the secret of the local LiveKit, which no other user of the machine reads."""
    return folder / "livekit.secret"


def summary(settings: Settings, folder: Path, clip: str) -> str:
    """What is there now, for people: URLs, folders, tokens, and calls to go on with."""
    token = issue_token(settings, demo.IDENTITY, room=demo.ROOM, ttl=timedelta(hours=12))
    admin = issue_token(settings, ADMIN, admin=True, ttl=timedelta(hours=6))
    # The secret is read from where it is kept: what is shown here opens LiveKit for hours, by its
    # tokens, not for good. Of a run in the background it stands in up.log, for its user alone.
    keys = f"LIVEKIT_API_KEY={API_KEY} LIVEKIT_API_SECRET=$(cat {secret_path(folder)})"
    port = "" if settings.port == 8000 else f" PORT={settings.port}"
    tool = f"{keys}{port} .venv/bin/python -m app"
    lines = [
        f"  clip       {clip}" if clip else "",
        f"  console    {settings.base_url}/#token={token}",
        f"             as an admin: {settings.base_url}/#token={admin}",
        f"  API        {settings.base_url} (described in /openapi.json)",
        f"  LiveKit    {settings.livekit_url} ({keys})",
        f"  encoding   {settings.encoding} (the service's own default is H264_1080P_60)",
        f"  media      {settings.media_root}",
        f"  clips      {settings.clips_place} on {settings.s3_endpoint}"
        if settings.clips_url
        else "",
        f"  logs       {folder / 'log'}, {folder / 'livekit'}",
        f"  token      {token}",
        f"             for {demo.IDENTITY} in {demo.ROOM}, with the API and with LiveKit alike",
        "  another    " + tool + f" capture {demo.ROOM} {demo.IDENTITY} --last 30s -o clip.mp4",
        "  a token    " + tool + f" token bob --room {demo.ROOM}",
        f"  doctor     DATA_DIR={settings.data_dir} FILE_UPLOAD_DEST={settings.media_root} "
        f"LIVEKIT_URL={settings.livekit_url} {tool} doctor",
    ]
    return "\n".join(line for line in lines if line)


@asynccontextmanager
async def _kept(child: Child) -> AsyncIterator[None]:
    child.start()
    try:
        yield
    finally:
        await child.stop(STOP_SECONDS)


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=READY_SECONDS) as client:
        try:
            return (await client.get(url)).status_code == 200
        except httpx.HTTPError:
            return False


def _tail(log_path: Path, lines: int = 20) -> str:
    text = log_path.read_text(errors="replace") if log_path.exists() else ""
    return f"{log_path} ends with:\n" + "\n".join(text.splitlines()[-lines:])
