"""A real livekit-server with one stand-in, whose webhooks are kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from livekit import api

from deploy.local.stack import LiveKitStack
from tests.publisher import Publisher
from tests.waiting import wait_for

TRACK_TIMEOUT_SECONDS = 3.0
WHOLE = ("--late", "60")
"""Everything is recorded, on a slow machine too: later."""


class Webhooks:
    """An endpoint that keeps what it gets, in order."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/", self._receive)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0]
        self.url = f"http://{host}:{port}/"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        raw = await request.text()
        headers = dict(request.headers)
        arrival = {"arrival": time.time(), "headers": headers, "raw": raw, "body": json.loads(raw)}
        self.received.append(arrival)
        return web.Response()

    def of(self, egress_id: str) -> list[dict[str, Any]]:
        """The bodies of one egress's events, oldest first."""
        bodies = [webhook["body"] for webhook in self.received]
        return [b for b in bodies if b.get("egressInfo", {}).get("egressId") == egress_id]


DONE = {
    "unpublish_video": "video_unpublished",
    "unpublish_audio": "audio_unpublished",
    "mute": "muted",
    "unmute": "unmuted",
    "resize": "resized",
    "leave": "left",
}


class Share(Publisher):
    """A publisher whose commands are waited for, and whose track ids are known."""

    @property
    def video_sid(self) -> str:
        return self._sid("video_published")

    @property
    def audio_sid(self) -> str:
        """Empty if there is no audio."""
        return self._sid("audio_published")

    def _sid(self, name: str) -> str:
        return next((event["sid"] for event in self.events if event["event"] == name), "")

    async def done(self, command: str, **arguments: int) -> None:
        """Send a command and wait until the share tells that it is done."""
        before = sum(event["event"] == DONE[command] for event in self.events)
        await self.do(command, **arguments)
        await self.told(DONE[command], count=before + 1)


class Field:
    """What a test works with: the stack, its API, its webhooks, shares and egresses."""

    def __init__(self, stack: LiveKitStack, webhooks: Webhooks, lk: api.LiveKitAPI, out: Path):
        self.stack = stack
        self.webhooks = webhooks
        self.lk = lk
        self.out = out
        self.shares: list[Share] = []

    async def share(
        self, room: str, identity: str = "alice", *arguments: str, audio: bool = True
    ) -> Share:
        """A running share; it leaves at the end of the test."""
        options = () if audio else ("--no-audio",)
        share = Share(self.stack, room, identity, *arguments, *options)
        await share.__aenter__()
        self.shares.append(share)
        if audio:
            await share.told("audio_published")
        return share

    async def leave(self) -> None:
        """End the shares."""
        await asyncio.gather(*(share.__aexit__() for share in self.shares))
        self.shares.clear()

    async def start(
        self, room: str, video: str, audio: str = "", *, seconds: int = 1, **options: Any
    ) -> str:
        """StartEgress as the service calls it, files in `out`/room; the egress id."""
        encoding = api.EncodingOptions(width=640, height=360, framerate=15, video_bitrate=600)
        output = api.SegmentedFileOutput(
            filename_prefix=str(self.out / room / "seg"),
            playlist_name="full.m3u8",
            live_playlist_name="live.m3u8",
            segment_duration=seconds,
            filename_suffix=api.SegmentedFileSuffix.TIMESTAMP,
            disable_manifest=True,
        )
        request: dict[str, Any] = {"advanced": encoding, "segment_outputs": [output]} | options
        info = await self.lk.egress.start_track_composite_egress(
            api.TrackCompositeEgressRequest(
                room_name=room, video_track_id=video, audio_track_id=audio, **request
            )
        )
        return str(info.egress_id)

    async def recorded(self, room: str) -> tuple[Share, str]:
        """A share and its ACTIVE egress."""
        share = await self.share(room)
        egress_id = await self.start(room, share.video_sid, share.audio_sid)
        await self.status(egress_id, "EGRESS_ACTIVE")
        return share, egress_id

    async def stop(self, egress_id: str) -> api.EgressInfo:
        return await self.lk.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))

    async def info(self, egress_id: str) -> api.EgressInfo:
        """What ListEgress says."""
        found = await self.lk.egress.list_egress(api.ListEgressRequest(egress_id=egress_id))
        return found.items[0]

    async def status(self, egress_id: str, name: str) -> api.EgressInfo:
        """The info as soon as it has this status."""

        async def reached() -> api.EgressInfo | None:
            info = await self.info(egress_id)
            return info if info.status == api.EgressStatus.Value(name) else None

        return await wait_for(reached, what=f"{egress_id} {name}")

    def segments(self, room: str) -> list[Path]:
        return sorted((self.out / room).glob("*.ts"))

    def full(self, room: str) -> str:
        """The full playlist now; empty if there is none."""
        path = self.out / room / "full.m3u8"
        return path.read_text() if path.exists() else ""

    async def listed(self, room: str, count: int) -> list[str]:
        """Segment names of the full playlist, as soon as it has so many."""

        def names() -> list[str] | None:
            found = [row for row in self.full(room).splitlines() if row.endswith(".ts")]
            return found if len(found) >= count else None

        return await wait_for(names, what=f"{count} segments of {room}")


Scenario = Callable[[Field], Awaitable[None]]
AT_ONCE = 3


def side_by_side(scenario: Scenario) -> Callable[..., Awaitable[None]]:
    """A test that waits most of its time, so it runs beside others of its kind, three at a time.

    It must not touch the stack's parts or faults.
    """

    async def test(beside: dict[str, asyncio.Task[None]]) -> None:
        await beside[scenario.__name__]

    test.__doc__ = scenario.__doc__
    test.scenario = scenario  # type: ignore[attr-defined]  # found again by `beside`
    return test


@pytest_asyncio.fixture(scope="session")
async def beside(
    request: pytest.FixtureRequest, field_of_session: Field
) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """The selected side_by_side tests, all started, by name."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def run(scenario: Scenario) -> None:
        async with limit:
            base = field_of_session
            field = Field(base.stack, base.webhooks, base.lk, base.out)
            try:
                await scenario(field)
            finally:
                await field.leave()

    found = [
        getattr(getattr(item, "obj", None), "scenario", None) for item in request.session.items
    ]
    tasks = {s.__name__: asyncio.create_task(run(s)) for s in found if s is not None}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest_asyncio.fixture(scope="session")
async def field_of_session(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Field]:
    webhooks = Webhooks()
    await webhooks.start()
    folder = tmp_path_factory.mktemp("livekit")
    stack = LiveKitStack(
        folder,
        webhook_urls=[webhooks.url],
        egress_arguments=["--track-timeout", str(TRACK_TIMEOUT_SECONDS), *WHOLE],
    )
    try:
        async with stack:
            lk = api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret)
            yield Field(stack, webhooks, lk, folder / "out")
            await lk.aclose()
    finally:
        await webhooks.stop()


@pytest_asyncio.fixture
async def field(field_of_session: Field) -> AsyncIterator[Field]:
    """The session's stack, without faults, all parts running, no share left over."""
    field = field_of_session
    field.stack.set_faults({})
    for name in ("valkey", "livekit", "egress"):
        await field.stack.start(name)
    yield field
    await field.leave()
    field.stack.set_faults({})
