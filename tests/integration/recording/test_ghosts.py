"""Which sessions are taken for ghosts: their egress is listed, and nobody serves it any more."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from livekit.protocol.egress import EgressInfo, EgressStatus, ListEgressRequest, ListEgressResponse
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.context import Context
from app.errors import Unavailable
from app.models import SessionRow, schema, words
from app.recording import ghosts, known, plan_steps, planner, reaper, survey
from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone
from app.recording.share_work import ShareWork
from tests.integration.conftest import MakeSettings
from tests.integration.queued import queued
from tests.integration.recording.listed import ListedLiveKit
from tests.rows import PartOfRow
from tests.serving import serving
from tests.waiting import wait_for

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


async def recorded(ctx: Context, **more: Any) -> str:
    """A session whose egress has been active for an hour; its id."""
    long_ago = datetime.now(UTC) - timedelta(seconds=HOUR)
    session_id = f"{ctx.instance}-{'0' * 24}"
    said: dict[str, Any] = {
        "id": session_id, "buffer_id": "b", "room": "studio", "room_sid": "RM_1",
        "identity": "alice", "video_sid": "TR_V", "folder": f"replay-buffer/x/y/{session_id}",
        "created_at": long_ago, "segment_seconds": 2, "egress_id": EGRESS,
        "status": words.EgressStatus.ACTIVE, "active_at": long_ago,
    }  # fmt: skip
    await ctx.store.create(schema.EgressSession.model_validate(said | more))
    return session_id


async def row_of(ctx: Context, session_id: str) -> SessionRow:
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session_id})
    assert row is not None
    return row


async def indexed(ctx: Context, session_id: str, at: datetime) -> None:
    """A segment of the session, which was indexed then."""
    of_session = {"_id": f"{session_id}:0", "session_id": session_id, "sequence": 0}
    await ctx.store.database["segments"].insert_one(of_session | {"indexed_at": at})


async def surveyed(
    make_settings: MakeSettings, ctx: Context, server: Server, **more: Any
) -> SessionRow:
    """The row of the egress's session after one survey; `more`: fields that it had before."""
    session_id = await recorded(ctx, **more)
    server.info.track_composite.segment_outputs.add(
        filename_prefix=f"/out/replay-buffer/x/y/{session_id}/seg"
    )
    async with _livekit(make_settings, server) as livekit:
        await survey.survey(ctx, livekit)
    return await row_of(ctx, session_id)


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


async def test_an_egress_that_has_just_begun_is_no_ghost_though_livekits_clock_is_behind(
    make_settings: MakeSettings, ctx: Context
) -> None:
    """Its recorder is on the way, and by LiveKit's clock it is a minute old."""
    server = Server(_info(EgressStatus.EGRESS_STARTING, told_seconds_ago=60), False)
    began: dict[str, Any] = {"created_at": datetime.now(UTC), "active_at": None}
    row = await surveyed(make_settings, ctx, server, **began)
    assert (row["ended_at"], row["ghost_at"]) == (None, None)


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


@pytest.mark.edge("the egress ends by itself")
async def test_a_silent_egress_that_answers_to_nothing_is_a_ghost(ctx: Context) -> None:
    """And its share is looked at, at once: something else is to record it."""
    session_id = await recorded(ctx)
    livekit = ListedLiveKit(signs={EGRESS: WorkerGone("request timed out")})
    await ghosts.probe(ctx, livekit, session_id)
    row = await row_of(ctx, session_id)
    assert None not in (row["ghost_at"], row["ended_at"])
    assert await queued(ctx) == 1


@pytest.mark.edge("a long share is no orphan; nothing is killed on silence")
async def test_a_silent_egress_that_answers_is_none(ctx: Context) -> None:
    session_id = await recorded(ctx)
    await ghosts.probe(ctx, ListedLiveKit(), session_id)
    assert (await row_of(ctx, session_id))["ended_at"] is None
    assert await queued(ctx) == 0


async def test_an_egress_that_writes_while_it_is_probed_is_no_ghost(ctx: Context) -> None:
    session_id = await recorded(ctx)
    await indexed(ctx, session_id, datetime.now(UTC) + timedelta(seconds=1))
    livekit = ListedLiveKit(signs={EGRESS: WorkerGone("request timed out")})
    await ghosts.probe(ctx, livekit, session_id)
    assert (await row_of(ctx, session_id))["ghost_at"] is None


async def test_where_livekit_is_away_a_probe_concludes_nothing(ctx: Context) -> None:
    """And asks for no other turn: a hundred of these would take every worker's."""
    session_id = await recorded(ctx)
    await ghosts.probe(ctx, ListedLiveKit(signs={EGRESS: Unavailable("no answer")}), session_id)
    assert (await row_of(ctx, session_id))["ended_at"] is None
    assert await queued(ctx) == 0


async def test_a_probe_that_finds_an_end_notes_it(ctx: Context) -> None:
    session_id = await recorded(ctx)
    over = _info(EgressStatus.EGRESS_FAILED, told_seconds_ago=1)
    over.ended_at = time.time_ns()
    livekit = ListedLiveKit(signs={EGRESS: AlreadyOver("it is over")}, ended={EGRESS: over})
    await ghosts.probe(ctx, livekit, session_id)
    row = await row_of(ctx, session_id)
    assert (row["ghost_at"], row["status"]) == (None, "EGRESS_FAILED")
    assert await queued(ctx) == 1


@pytest.mark.edge("every answer to a stop")
@pytest.mark.parametrize(
    ("seconds_ago", "segment_seconds", "is_ghost"), [(60, 2, True), (1, 2, False), (60, 30, False)]
)
async def test_a_stop_that_nobody_answers_makes_a_ghost_of_a_silent_egress(
    ctx: Context, seconds_ago: float, segment_seconds: int, is_ghost: bool
) -> None:
    """One that is only hung is asked again."""
    now = datetime.now(UTC)
    current = words.SessionRole.CURRENT
    session_id = await recorded(ctx, role=current, segment_seconds=segment_seconds)
    await indexed(ctx, session_id, now - timedelta(seconds=seconds_ago))
    livekit = ListedLiveKit(signs={EGRESS: WorkerGone("request timed out")})
    nothing, buffer = cast(Any, None), cast(Any, {"why": None})
    row = await row_of(ctx, session_id)
    found = await known.read(ctx.store, row["room_sid"], row["identity"])
    work = ShareWork(ctx, livekit, found, nothing, nothing, buffer, [row])
    await plan_steps.act(work, planner.Stop(session_id))
    assert ((await row_of(ctx, session_id))["ghost_at"] is not None) == is_ghost


@pytest.mark.parametrize(
    ("age_seconds", "why", "stopped"),
    [
        (60.0, None, []),  # it does not write
        (0.0, None, [EGRESS]),
        (-3600.0, None, []),  # so it says itself
        (0.0, words.Why.OPTED_OUT, [EGRESS]),
        (0.0, words.Why.NO_WORKER, []),  # it has the place that another one waits for
    ],
)
async def test_a_ghost_that_writes_again_is_stopped_where_it_is_in_the_way(
    ctx: Context, age_seconds: float, why: words.Why | None, stopped: list[str]
) -> None:
    """Its worker was held up, and another egress records the share by now, or none is to."""
    ghost_at = datetime.now(UTC) - timedelta(seconds=30)
    session_id = await recorded(ctx, ghost_at=ghost_at, ended_at=ghost_at, role=None)
    await ctx.store.rows(schema.Buffer).insert_one(_buffer(why))
    info = _info(EgressStatus.EGRESS_ACTIVE, told_seconds_ago=1)
    info.track_composite.segment_outputs.add(
        filename_prefix=f"/out/replay-buffer/x/y/{session_id}/seg"
    )
    folder = ctx.settings.media_root / "replay-buffer/x/y" / session_id
    folder.mkdir(parents=True)
    playlist = folder / "live.m3u8"
    playlist.touch()
    at = time.time() - age_seconds
    os.utime(playlist, (at, at))
    livekit = ListedLiveKit()
    await reaper.stop_strays(ctx, livekit, [info])
    assert livekit.stopped == stopped


@pytest.mark.parametrize("known", [True, False])
async def test_an_egress_that_does_not_stop_holds_up_no_other_ones_stop(
    ctx: Context, known: bool
) -> None:
    """LiveKit answers for one that hangs after its time only: all of them would outlast the job."""
    count = 20

    class Hanging(ListedLiveKit):
        """The first one that is asked answers once all were."""

        async def stop(self, egress_id: str) -> EgressInfo:
            self.stopped.append(egress_id)
            if len(self.stopped) == 1:
                await wait_for(lambda: len(self.stopped) == count)
                self.signs["meanwhile"] = WorkerGone("the others were asked")
            raise WorkerGone("request timed out")

    infos = []
    for number in range(count):
        session_id = f"{ctx.instance}-{number:024}"
        info = _info(EgressStatus.EGRESS_ACTIVE, told_seconds_ago=1)
        info.egress_id = f"EG_{number}"
        info.track_composite.segment_outputs.add(
            filename_prefix=f"/out/replay-buffer/x/y/{session_id}/seg"
        )
        infos.append(info)
        if known:
            row = {"_id": session_id, "role": None, "ghost_at": None, "buffer_id": session_id}
            await ctx.store.database[+schema.EgressSession].insert_one(row)
    livekit = Hanging(egresses=infos)
    if known:
        await reaper.stop_strays(ctx, livekit, infos)
    else:
        await reaper.reap(ctx, livekit)
    assert sorted(livekit.stopped) == sorted(info.egress_id for info in infos)
    assert "meanwhile" in livekit.signs


def _buffer(why: words.Why | None) -> PartOfRow:
    return {"_id": "b", "ended_at": None, "why": why}
