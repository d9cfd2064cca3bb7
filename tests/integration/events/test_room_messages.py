"""What is said into rooms, as LiveKit's API gets it: into which, to whom, and what of an event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room
from livekit.protocol.room import (
    ListParticipantsResponse,
    ListRoomsResponse,
    SendDataRequest,
    SendDataResponse,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.captures.capture_tools import CaptureTools
from app.context import Context
from app.events import outbox
from app.events.contents import CONTENTS, ChatMessage
from app.models import EventName
from app.recording.livekit import LiveKit
from app.work import errands
from app.worker import jobs_of
from tests.integration.clips.rows import add_clip
from tests.integration.conftest import MakeSettings
from tests.serving import serving

WORDS = "only for you: salary review"


class LiveRoom:
    """A LiveKit with one room, `studio`, which notes what is said into it."""

    def __init__(self) -> None:
        self.sid = "RM_1"
        self.people = [person("ann"), person("bob"), person("deaf", subscribes=False)]
        self.said: list[SendDataRequest] = []

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        match request.path_params["method"]:
            case "ListRooms":
                rooms = [Room(sid=self.sid, name="studio")]
                given = ListRoomsResponse(rooms=rooms).SerializeToString()
            case "ListParticipants":
                given = ListParticipantsResponse(participants=self.people).SerializeToString()
            case "SendData":
                self.said.append(SendDataRequest.FromString(body))
                given = SendDataResponse().SerializeToString()
            case method:
                raise AssertionError(method)
        return Response(given, media_type="application/protobuf")

    def heard(self) -> list[tuple[str, list[str]]]:
        """Each event that was said, and to whom; nobody named is everybody."""
        return [
            (json.loads(each.data)["event"], sorted(each.destination_identities))
            for each in self.said
        ]


def person(identity: str, *, subscribes: bool = True, **more: Any) -> ParticipantInfo:
    permission = ParticipantPermission(can_subscribe=subscribes)
    return ParticipantInfo(sid=f"PA_{identity}", identity=identity, permission=permission, **more)


@pytest.fixture
def room() -> LiveRoom:
    return LiveRoom()


@pytest_asyncio.fixture
async def livekit(make_settings: MakeSettings, room: LiveRoom) -> AsyncIterator[LiveKit]:
    app = Starlette(routes=[Route("/twirp/{service}/{method}", room.answer, methods=["POST"])])
    async with serving(app) as url:
        livekit = LiveKit(make_settings(livekit_url=url.replace("http", "ws")))
        try:
            yield livekit
        finally:
            await livekit.close()


async def deliver(ctx: Context, livekit: LiveKit) -> None:
    """Runs the worker's job as the worker has it."""
    tools = CaptureTools.of(ctx.settings)
    async with asyncio.TaskGroup() as group:
        jobs = {job.errand.name: given for job, given in jobs_of(ctx, livekit, tools, group).given}
    await jobs[errands.DELIVER.name]("studio")


async def tell(ctx: Context, event: EventName, **data: Any) -> None:
    key = f"{event}-{len(data)}"
    content = CONTENTS[event].model_construct(None, **data)
    await outbox.tell(ctx, content, key, room="studio", room_sid="RM_1", identity="ann")


async def share_clip(ctx: Context, **given: Any) -> None:
    clip = await add_clip(ctx, "c1", room="studio", room_sid="RM_1", title="A title", **given)
    message = ChatMessage(text=WORDS, attachments=[clip.file_id])
    await tell(
        ctx,
        EventName.CLIP_SHARED,
        clip_id="c1",
        title="A title",
        channel_id="dm-hr",
        message=message,
    )


async def test_a_buffers_beginning_is_told_to_everybody_in_its_room(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    """By name: without destinations LiveKit would tell whoever comes in meanwhile, too."""
    await tell(ctx, EventName.BUFFER_STARTED, buffer_id="b1")
    await deliver(ctx, livekit)
    assert room.heard() == [("buffer_started", ["ann", "bob", "deaf"])]


@pytest.mark.parametrize(
    "event",
    [
        EventName.BUFFER_STARTED,
        EventName.BUFFER_ENDED,
        EventName.CLIP_SHARED,
        EventName.CAPTURE_READY,
    ],
)
async def test_a_later_room_of_the_same_name_hears_nothing(
    ctx: Context, livekit: LiveKit, room: LiveRoom, event: EventName
) -> None:
    """Whatever was to be said into the earlier one, and although the same people are there."""
    await add_clip(ctx, "c1", room="studio", room_sid="RM_1", visibility="room")
    room.sid = "RM_2"
    await tell(ctx, event, clip_id="c1", buffer_id="b1")
    await deliver(ctx, livekit)
    assert room.heard() == []


@pytest.mark.parametrize(
    "event", [EventName.SCREEN_CAPTURED, EventName.BUFFER_ERASED, EventName.BUFFER_ENCODING]
)
async def test_what_becomes_of_a_share_by_others_is_told_to_the_sharer_alone(
    ctx: Context, livekit: LiveKit, room: LiveRoom, event: EventName
) -> None:
    await tell(ctx, event, buffer_id="b1", captured_by="bob", erased_by="bob")
    await deliver(ctx, livekit)
    assert room.heard() == [(event, ["ann"])]


@pytest.mark.parametrize("event", [EventName.CLIP_WITHDRAWN, EventName.DELETION_REQUESTED])
async def test_what_others_do_about_a_clip_is_told_to_its_owner_alone(
    ctx: Context, livekit: LiveKit, room: LiveRoom, event: EventName
) -> None:
    await tell(ctx, event, clip_id="c1", buffer_id="b1", shared_by="bob", title="", reason="x")
    await deliver(ctx, livekit)
    assert room.heard() == [(event, ["ann"])]


async def test_a_private_clip_is_told_to_its_owner_alone(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    await share_clip(ctx, owner="bob")
    await deliver(ctx, livekit)
    assert room.heard() == [("clip_shared", ["bob"])]


async def test_a_private_clip_whose_owner_is_not_there_is_told_to_nobody(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    """An empty list of destinations would be everybody."""
    await share_clip(ctx, owner="carl")
    await deliver(ctx, livekit)
    assert room.heard() == []


async def test_a_clip_that_is_open_to_the_room_is_told_to_those_who_may_see_it(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    """Not to who may not subscribe, nor to what is no person."""
    room.people.append(person("robot", kind=ParticipantInfo.Kind.AGENT))
    await share_clip(ctx, owner="carl", visibility="room")
    await deliver(ctx, livekit)
    assert room.heard() == [("clip_shared", ["ann", "bob"])]


async def test_a_deleted_clip_is_told_to_nobody(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    await share_clip(ctx, owner="ann", ready=False)
    await deliver(ctx, livekit)
    assert room.heard() == []


async def test_neither_channel_nor_words_are_said_into_a_room(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    """They are for the chat: EVENTS_URL is told of them."""
    await share_clip(ctx, owner="carl", visibility="room")
    await deliver(ctx, livekit)
    (said,) = room.said
    assert WORDS not in said.data.decode()
    assert "dm-hr" not in said.data.decode()
    body = json.loads(said.data)
    assert body["replay"] == {"number": 1, "clip_id": "c1", "title": "A title"}
    assert json.loads(body["participant"]["metadata"]) == body["replay"]


async def test_that_a_capture_is_ready_is_told_to_who_asked(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    await tell(ctx, EventName.CAPTURE_READY, capture_id="x", clip_id="c1")
    await deliver(ctx, livekit)
    assert room.heard() == [("capture_ready", ["ann"])]


async def test_what_is_only_for_the_app_is_not_said(
    ctx: Context, livekit: LiveKit, room: LiveRoom
) -> None:
    await tell(ctx, EventName.QUOTA_EXCEEDED, used_bytes=1)
    await deliver(ctx, livekit)
    assert room.said == []
