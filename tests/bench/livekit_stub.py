"""A LiveKit that takes every request and notes when: its Twirp API on a port of 127.0.0.1.

Its egresses are active at once, and end when they are stopped; it tells of both by webhooks.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from livekit.protocol.egress import (
    EgressInfo,
    EgressStatus,
    ListEgressRequest,
    ListEgressResponse,
    SegmentsInfo,
    StopEgressRequest,
    TrackCompositeEgressRequest,
    UpdateStreamRequest,
)
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse, SendDataResponse

from app.processes.free_ports import choose_ports
from tests.bench.posting import Poster
from tests.bench.signing import signed

TRIES = 5
"""livekit-server sends an event so many times."""


class LiveKitStub:
    """`started`: when (time.perf_counter) StartEgress came, by video track."""

    def __init__(self, port: int) -> None:
        self.url = f"ws://127.0.0.1:{port}"
        self.started: dict[str, float] = {}
        self._egresses: dict[str, EgressInfo] = {}
        self._poster: Poster | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, base_url: str) -> None:
        """Sends its webhooks to that service from now on."""
        self._poster = Poster(base_url)

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        if self._poster is not None:
            await self._poster.close()

    async def answer(self, request: web.Request) -> web.Response:
        now = time.perf_counter()
        body = await request.read()
        return web.Response(
            body=self._answer(request.match_info["method"], body, now).SerializeToString(),
            content_type="application/protobuf",
        )

    def _start(self, asked: TrackCompositeEgressRequest, now: float) -> EgressInfo:
        info = EgressInfo(
            egress_id=f"EG_{secrets.token_hex(6)}",
            room_name=asked.room_name,
            status=EgressStatus.EGRESS_STARTING,
            started_at=time.time_ns(),
            track_composite=asked,
        )
        self.started[asked.video_track_id] = now
        active = EgressInfo()
        active.CopyFrom(info)
        active.status = EgressStatus.EGRESS_ACTIVE
        active.segment_results.append(SegmentsInfo(started_at=info.started_at))
        self._egresses[info.egress_id] = active
        self._tell(("egress_started", info), ("egress_updated", active))
        return info

    def _stop(self, egress_id: str) -> EgressInfo:
        info = self._egresses[egress_id]
        ending = EgressInfo()
        ending.CopyFrom(info)
        ending.status = EgressStatus.EGRESS_ENDING
        info.status = EgressStatus.EGRESS_COMPLETE
        info.ended_at = time.time_ns()
        self._tell(("egress_updated", ending), ("egress_ended", info))
        return ending

    def _tell(self, *events: tuple[str, EgressInfo]) -> None:
        made = [signed(name, {"egressInfo": MessageToDict(info)}) for name, info in events]

        async def send(poster: Poster) -> None:
            for event in made:
                for _ in range(TRIES):
                    with suppress(RuntimeError):  # refused: a later one may be taken
                        await poster.post(event)
                        break

        if self._poster is not None:
            task = asyncio.create_task(send(self._poster))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _list(self, asked: ListEgressRequest) -> ListEgressResponse:
        found = [
            info
            for info in self._egresses.values()
            if asked.egress_id in ("", info.egress_id)
            and asked.room_name in ("", info.room_name)
            and (not asked.active or info.status == EgressStatus.EGRESS_ACTIVE)
        ]
        return ListEgressResponse(items=found)

    def _answer(self, method: str, body: bytes, now: float) -> Message:
        if method == "StartTrackCompositeEgress":
            return self._start(TrackCompositeEgressRequest.FromString(body), now)
        if method == "StopEgress":
            return self._stop(StopEgressRequest.FromString(body).egress_id)
        if method == "UpdateStream":
            return self._egresses[UpdateStreamRequest.FromString(body).egress_id]
        if method == "ListEgress":
            return self._list(ListEgressRequest.FromString(body))
        answers: dict[str, Message] = {
            "ListRooms": ListRoomsResponse(),
            "ListParticipants": ListParticipantsResponse(),
            "GetParticipant": ParticipantInfo(),
            "SendData": SendDataResponse(),
            "UpdateParticipant": ParticipantInfo(),
        }
        return answers[method]


@asynccontextmanager
async def livekit_stub(folder: Path) -> AsyncIterator[LiveKitStub]:
    """Answers until the block ends."""
    port = choose_ports(["livekit"], folder / "livekit-port.json")["livekit"]
    stub = LiveKitStub(port)
    application = web.Application()
    application.router.add_post("/twirp/{service}/{method}", stub.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield stub
    finally:
        await stub.close()
        await runner.cleanup()
