"""A LiveKit that takes every request and notes when: its Twirp API on a port of 127.0.0.1."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from google.protobuf.message import Message
from livekit.protocol.egress import (
    EgressInfo,
    EgressStatus,
    ListEgressResponse,
    StopEgressRequest,
    TrackCompositeEgressRequest,
)
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse, SendDataResponse

from app.free_ports import choose_ports


class LiveKitStub:
    """`started`: when (time.perf_counter) StartEgress came, by video track.

    `egresses`: what was started, by video track.
    """

    def __init__(self, port: int) -> None:
        self.url = f"ws://127.0.0.1:{port}"
        self.started: dict[str, float] = {}
        self.egresses: dict[str, EgressInfo] = {}

    async def answer(self, request: web.Request) -> web.Response:
        now = time.perf_counter()
        body = await request.read()
        return web.Response(
            body=self._answer(request.match_info["method"], body, now).SerializeToString(),
            content_type="application/protobuf",
        )

    def _answer(self, method: str, body: bytes, now: float) -> Message:
        if method == "StartTrackCompositeEgress":
            asked = TrackCompositeEgressRequest.FromString(body)
            info = EgressInfo(
                egress_id=f"EG_{secrets.token_hex(6)}",
                room_name=asked.room_name,
                status=EgressStatus.EGRESS_STARTING,
                started_at=time.time_ns(),
                track_composite=asked,
            )
            self.started[asked.video_track_id] = now
            self.egresses[asked.video_track_id] = info
            return info
        if method == "StopEgress":
            egress_id = StopEgressRequest.FromString(body).egress_id
            return EgressInfo(egress_id=egress_id, status=EgressStatus.EGRESS_ENDING)
        answers: dict[str, Message] = {
            "ListEgress": ListEgressResponse(),
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
        await runner.cleanup()
