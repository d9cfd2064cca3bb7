"""Which egresses a survey takes for ghosts: those that LiveKit lists and nobody serves any more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from livekit.protocol.egress import EgressInfo, EgressStatus, ListEgressRequest, ListEgressResponse
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.context import Context
from app.models import SessionRow, schema, words
from app.recording import survey
from app.recording.livekit import LiveKit
from tests.integration.conftest import MakeSettings
from tests.serving import serving

EGRESS = "EG_1"
HOUR = 3600.0


def _info(status: Any, *, told_seconds_ago: float) -> EgressInfo:
    """An egress that began an hour ago."""
    now = time.time()
    return EgressInfo(
        egress_id=EGRESS,
        room_name="studio",
        status=status,
        started_at=int((now - HOUR) * 1e9),
        updated_at=int((now - told_seconds_ago) * 1e9),
    )


@dataclass
class Server:
    """A LiveKit with one room and one egress, whose recorder may be in it."""

    info: EgressInfo
    recorder_is_there: bool
    ends: bool = False
    """The egress ends after the first question about it or its room's people."""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        found = self._answer(method, await request.body())
        self.asked.append(method)
        if self.ends and method in ("ListEgress", "ListParticipants"):
            self.recorder_is_there = False
            self.info.status = EgressStatus.EGRESS_COMPLETE
            self.info.ended_at = time.time_ns()
        return Response(found.SerializeToString(), media_type="application/protobuf")

    def _answer(self, method: str, body: bytes) -> Message:
        if method == "ListRooms":
            return ListRoomsResponse(rooms=[Room(sid="RM_1", name="studio")])
        if method == "ListParticipants":
            kind = ParticipantInfo.Kind.EGRESS
            recorder = ParticipantInfo(sid="PA_2", identity=EGRESS, kind=kind)
            return ListParticipantsResponse(
                participants=[recorder] if self.recorder_is_there else []
            )
        active = ListEgressRequest.FromString(body).active
        return ListEgressResponse(items=[] if active and self.info.ended_at else [self.info])


async def surveyed(make_settings: MakeSettings, ctx: Context, server: Server) -> SessionRow:
    """The row of the egress's session after one survey."""
    long_ago = datetime.now(UTC) - timedelta(seconds=HOUR)
    session = schema.EgressSession(
        id=f"{ctx.instance}-{'0' * 24}", buffer_id="b", room="studio", room_sid="RM_1",
        identity="alice", video_sid="TR_V", folder="replay-buffer/x/y/z", created_at=long_ago,
        segment_seconds=2, egress_id=EGRESS, status=words.EgressStatus.ACTIVE, active_at=long_ago,
    )  # fmt: skip
    await ctx.store.create(session)
    server.info.track_composite.segment_outputs.add(
        filename_prefix=f"/out/replay-buffer/x/y/{session.id}/seg"
    )
    async with _livekit(make_settings, server) as livekit:
        await survey.survey(ctx, livekit)
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session.id})
    assert row is not None
    return row


@asynccontextmanager
async def _livekit(make_settings: MakeSettings, server: Server) -> AsyncIterator[LiveKit]:
    app = Starlette(routes=[Route("/twirp/{service}/{method}", server.answer, methods=["POST"])])
    async with serving(app) as url:
        livekit = LiveKit(make_settings(livekit_url=url.replace("http", "ws")))
        try:
            yield livekit
        finally:
            await livekit.close()


async def test_an_active_egress_without_its_recorder_is_a_ghost(
    make_settings: MakeSettings, ctx: Context
) -> None:
    """An hour old, and nobody is in the room for it."""
    info = _info(EgressStatus.EGRESS_ACTIVE, told_seconds_ago=HOUR)
    row = await surveyed(make_settings, ctx, Server(info, recorder_is_there=False))
    assert row["ghost_at"] is not None


async def test_an_egress_that_ends_during_the_survey_is_no_ghost(
    make_settings: MakeSettings, ctx: Context
) -> None:
    """It is active when the survey begins, and its recorder has left before it is over."""
    info = _info(EgressStatus.EGRESS_ACTIVE, told_seconds_ago=HOUR)
    server = Server(info, recorder_is_there=True, ends=True)
    row = await surveyed(make_settings, ctx, server)
    assert (row["ghost_at"], row["status"]) == (None, "EGRESS_COMPLETE"), server.asked


async def test_an_egress_that_writes_its_last_files_is_no_ghost(
    make_settings: MakeSettings, ctx: Context
) -> None:
    """Its recorder has left already; what it told last is not long ago."""
    info = _info(EgressStatus.EGRESS_ENDING, told_seconds_ago=5)
    row = await surveyed(make_settings, ctx, Server(info, recorder_is_there=False))
    assert (row["ghost_at"], row["ended_at"]) == (None, None)
