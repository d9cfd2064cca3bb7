"""A LiveKit that does not end its answers, or whose lists somebody makes very long."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from livekit.protocol.egress import EgressInfo, ListEgressResponse
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse

from app.context import Context
from app.models import schema
from app.recording import attendance, facts, survey
from app.recording.bounded_answer import ANSWER_BYTES
from app.recording.livekit import AnswerTooLong, LiveKit
from app.work import rounds
from tests.integration.conftest import MakeSettings

BLOCK = bytes(2**20)
NAME = "n" * 3_000_000
"""LiveKit holds the names of tracks to nothing."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\nConnection: close\r\n\r\n"
Answer = Callable[[], AsyncIterator[bytes]]


@dataclass
class Answering:
    """A LiveKit by the methods that it answers. `taken_bytes`: of what it sent."""

    answers: Mapping[str, Answer]
    taken_bytes: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
        writer.write(HEAD)
        with suppress(ConnectionError):
            async for block in self.answers[method]():
                writer.write(block)
                await writer.drain()
                self.taken_bytes += len(block)
        writer.close()
        self.ended.set()


@asynccontextmanager
async def answering(
    make_settings: MakeSettings, answers: Mapping[str, Answer]
) -> AsyncIterator[tuple[Answering, LiveKit]]:
    """A server that answers so, and its client."""
    made = Answering(answers)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        livekit = LiveKit(make_settings(livekit_url=f"ws://127.0.0.1:{port}"))
        try:
            yield made, livekit
        finally:
            await livekit.close()


def whole(message: Message) -> Answer:
    async def answer() -> AsyncIterator[bytes]:
        yield message.SerializeToString()

    return answer


async def endless() -> AsyncIterator[bytes]:
    for _ in range(3 * ANSWER_BYTES // len(BLOCK)):
        yield BLOCK


async def test_no_answer_of_livekits_fills_the_memory(make_settings: MakeSettings) -> None:
    """One of three times what is read at most: it is given up, and its rest is not taken."""
    async with answering(make_settings, {"ListRooms": endless}) as (made, livekit):
        with pytest.raises(AnswerTooLong, match="more than"):
            await livekit.rooms()
        await asyncio.wait_for(made.ended.wait(), 30)
    assert ANSWER_BYTES < made.taken_bytes < 2 * ANSWER_BYTES


def person(name: str, room: Room, **attributes: str) -> ParticipantInfo:
    return ParticipantInfo(
        sid=f"PA_{name}_{room.sid}", identity=f"{name} {room.sid}", attributes=attributes,
        tracks=[TrackInfo(sid=f"TR_{name}_{room.sid}", source=TrackSource.SCREEN_SHARE)],
    )  # fmt: skip


def with_long_names(who: ParticipantInfo, tracks: int) -> ParticipantInfo:
    for number in range(tracks):
        who.tracks.add(sid=f"TR_{number}_{who.sid}", source=TrackSource.MICROPHONE, name=NAME)
    return who


async def test_who_makes_the_list_of_a_room_long_hides_nobody_in_it(
    ctx: Context, make_settings: MakeSettings
) -> None:
    """Alice opts out, bob has left, and nobody's webhook told; mallory opts out, too."""
    tag, before = secrets.token_hex(6), datetime.now(UTC) - timedelta(minutes=1)
    room = Room(sid=f"RM_{tag}", name=f"studio {tag}")
    alice, bob, mallory = (person(name, room) for name in ("alice", "bob", "mallory"))
    await facts.room_started(ctx.store, room)
    for who in (alice, bob, mallory):
        await facts.participant_joined(ctx.store, room, who, before)
        await facts.track_published(ctx.store, room, who, who.tracks[0], before)
    listed = [
        with_long_names(person("mallory", room, replay="off"), 12),
        person("alice", room, replay="off"),
    ]
    answers = {
        "ListRooms": whole(ListRoomsResponse(rooms=[room])),
        "ListParticipants": whole(ListParticipantsResponse(participants=listed)),
        "GetParticipant": whole(listed[0]),
        "ListEgress": whole(ListEgressResponse()),
    }
    async with answering(make_settings, answers) as (_, livekit):
        with rounds.begun("survey"):
            await survey.survey(ctx, livekit)
        await attendance.attend(ctx, livekit, room.sid)
        own = await livekit.participant(room.name, mallory.identity)
    people = {
        row["identity"]: row
        async for row in ctx.store.rows(schema.Participant).find({"room_sid": room.sid})
    }
    assert {name: row["opted_out"] for name, row in people.items()} == {
        alice.identity: True, bob.identity: False, mallory.identity: True,
    }  # fmt: skip
    gone = [name for name, row in people.items() if row["unlisted_at"] is not None]
    assert gone == [bob.identity]
    missed = ctx.store.rows(schema.Track).find({"room_sid": room.sid, "missing": 1})
    assert [row["identity"] async for row in missed] == [bob.identity]
    assert own is not None
    assert own.attributes["replay"] == "off"


async def test_who_makes_the_list_of_egresses_long_hides_no_other_egress(
    make_settings: MakeSettings,
) -> None:
    others = EgressInfo(egress_id="EG_other", error=NAME)
    others.room_composite.custom_base_url = 12 * NAME
    own = EgressInfo(egress_id="EG_own", room_id="RM", started_at=1)
    own.track_composite.video_track_id = "TR"
    own.track_composite.segment_outputs.add(filename_prefix="/out/replay-buffer/x")
    answers = {"ListEgress": whole(ListEgressResponse(items=[others, own]))}
    async with answering(make_settings, answers) as (_, livekit):
        found = await livekit.active_egresses()
    assert [each.egress_id for each in found] == ["EG_other", "EG_own"]
    assert found[1] == own
