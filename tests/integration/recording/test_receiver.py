"""What the receiver answers, and what it leaves in the stores."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import example, given
from hypothesis import strategies as st
from livekit import api
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo
from livekit.protocol.webhook import WebhookEvent
from structlog.testing import capture_logs

from app.context import Context
from app.models import TrackRow, schema
from app.recording.track_bounds import MOST_OF_ONE
from app.webhooks.receiver import MAX_BODY_BYTES
from app.webhooks.signature import check
from app.work import errands
from tests import hostile, webhooks
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET, MakeSettings
from tests.integration.queued import asked_for, queued, redis_of
from tests.integration.recording.conftest import Send

PUBLISHED = webhooks.event(
    "track_published",
    room=webhooks.room(),
    participant=webhooks.participant(),
    track=webhooks.video(),
)
CAMERA = webhooks.event(
    "track_published",
    room=webhooks.room(),
    participant=webhooks.participant(),
    track=webhooks.video(source="CAMERA"),
)


async def tracks(ctx: Context) -> list[TrackRow]:
    return await ctx.store.rows(schema.Track).find().to_list(None)


async def test_notes_a_share_and_asks_for_its_reconcile(ctx: Context, send: Send) -> None:
    """track_published of a screen share is a fact and a job."""
    answer = await send(PUBLISHED)
    assert answer.status_code == 200
    (track,) = await tracks(ctx)
    assert (track["_id"], track["identity"], track["live"]) == ("TR_V", "alice", True)
    assert await queued(ctx) == 1


@pytest.mark.edge("the same webhook twice")
async def test_an_event_that_comes_twice_changes_nothing(ctx: Context, send: Send) -> None:
    """LiveKit repeats a delivery whose answer was late; the second one is 200 and no more."""
    await send(PUBLISHED)
    before = await tracks(ctx)
    answer = await send(PUBLISHED)
    assert (answer.status_code, answer.json()) == (200, {"status": "duplicate"})
    assert await tracks(ctx) == before
    assert await queued(ctx) == 1


@pytest.mark.edge("recorders join as participants")
@pytest.mark.edge("only screen shares; several of one user")
@pytest.mark.edge("unknown events and fields")
@pytest.mark.parametrize(
    "ignored",
    [
        webhooks.event("track_published", room=webhooks.room(),
            participant=webhooks.participant(), track=webhooks.video(source="CAMERA")),
        webhooks.event("track_published", room=webhooks.room(),
            participant=webhooks.participant("EG_x", kind="EGRESS"), track=webhooks.video()),
        webhooks.event("participant_joined", room=webhooks.room(),
            participant=webhooks.participant("EG_x", kind="EGRESS")),
        webhooks.event("something_new", brandNew={"a": 1}),
        webhooks.event("egress_ended", egressInfo={"egressId": "EG_other", "roomName": "studio"}),
    ],
)  # fmt: skip
async def test_what_is_not_about_shares_makes_no_facts(
    ctx: Context, send: Send, ignored: dict[str, object]
) -> None:
    """Cameras, recorders, others' egresses and events unknown to us are 200 and leave nothing."""
    assert (await send(ignored)).status_code == 200
    for model in (schema.Track, schema.Participant, schema.EgressSession):
        assert await ctx.store.database[+model].count_documents({}) == 0
    assert await queued(ctx) == 0


async def test_nobody_has_any_number_of_shares_at_once(ctx: Context, send: Send) -> None:
    """What is too much is left out and told; who has ended one may have another, and so may bob."""

    async def publish(sid: str, identity: str = "alice") -> None:
        who = webhooks.participant(identity, f"PA_{identity}")
        await send(
            PUBLISHED | {"id": f"EV_{sid}", "participant": who, "track": webhooks.video(sid)}
        )

    with capture_logs() as lines:
        for number in range(MOST_OF_ONE + 3):
            await publish(f"TR_{number}")
    assert len(await tracks(ctx)) == MOST_OF_ONE
    told = [line for line in lines if line["event"] == "tracks_too_many"]
    assert [line["identity"] for line in told] == ["alice"] * 3
    await publish("TR_0")
    await publish("TR_bob", "bob")
    await send(
        PUBLISHED | {"event": "track_unpublished", "id": "EV_gone", "track": webhooks.video("TR_1")}
    )
    await publish("TR_more")
    live = {track["_id"] for track in await tracks(ctx) if track["live"]}
    assert len(live) == MOST_OF_ONE + 1
    assert {"TR_0", "TR_bob", "TR_more"} <= live


@pytest.mark.edge("unpublish before publish")
async def test_a_track_that_ended_never_comes_back(ctx: Context, send: Send) -> None:
    """Unpublish processed before publish: the track stays ended."""
    gone = {**PUBLISHED, "event": "track_unpublished", "id": "EV_gone"}
    await send(gone)
    await send(PUBLISHED)
    (track,) = await tracks(ctx)
    assert track["live"] is False
    assert track["ended_at"] is not None


async def test_a_leave_asks_for_a_reconcile_of_what_is_still_shared(
    ctx: Context, send: Send
) -> None:
    """Most people who leave have shared nothing, or have stopped before: nothing to do for them."""
    left = webhooks.event(
        "participant_left", room=webhooks.room(), participant=webhooks.participant()
    )
    await send(left)
    assert await queued(ctx) == 0
    await send(PUBLISHED)
    await ctx.queue.begin(errands.RECONCILE, "RM_1", "alice")
    await send(left | {"id": "EV_left_sharing"})
    assert await queued(ctx) == 2


async def test_a_reconcile_is_asked_for_once_until_it_begins(ctx: Context) -> None:
    """Asked for after its begin, which is before it reads facts, it runs once more."""
    for _ in range(2):
        await ctx.queue.ask(errands.RECONCILE, "RM_1", "alice")
    assert await queued(ctx) == 1
    await ctx.queue.begin(errands.RECONCILE, "RM_1", "alice")
    await ctx.queue.ask(errands.RECONCILE, "RM_1", "alice")
    assert await queued(ctx) == 2
    await ctx.queue.ask(errands.RECONCILE, "RM_1", "bob")
    assert await queued(ctx) == 3


@pytest.mark.edge("left of an old connection after a re-join")
async def test_a_leave_of_an_old_connection_is_not_the_new_ones(ctx: Context, send: Send) -> None:
    """participant_left names a sid; somebody who has re-joined is still there."""
    for name, sid in (("joined", "PA_2"), ("left", "PA_1")):
        await send(
            webhooks.event(
                f"participant_{name}",
                room=webhooks.room(),
                participant=webhooks.participant(sid=sid),
            )
        )
    people = ctx.store.rows(schema.Participant)
    left = {row["_id"]: row["left_at"] async for row in people.find()}
    assert left["PA_2"] is None
    assert left["PA_1"] is not None


def _token(**claims: object) -> str:
    return api.AccessToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET).with_identity("x").to_jwt()


BODY = webhooks.body_of(PUBLISHED)


@pytest.mark.edge("signatures of every wrong kind")
@pytest.mark.parametrize(
    ("says", "body", "authorization"),
    [
        ("no signature", BODY, ""),
        ("not a token", BODY, "nonsense"),
        ("another key", BODY, webhooks.sign(BODY, key="other")),
        ("another secret", BODY, webhooks.sign(BODY, secret="x" * 32)),
        ("expired", BODY, webhooks.sign(BODY, ttl=timedelta(hours=-2))),
        ("an access token without a hash", BODY, _token()),
        ("the hash of another body", BODY, webhooks.sign(b"{}")),
        ("re-serialised", json.dumps(PUBLISHED, indent=1).encode(), webhooks.sign(BODY)),
        ("not UTF-8", b"\xff\xfe", webhooks.sign(b"\xff\xfe")),
        ("not JSON", b"][", webhooks.sign(b"][")),
        ("wrong types", b'{"room": 7}', webhooks.sign(b'{"room": 7}')),
    ],
)
async def test_what_cannot_be_verified_is_401(
    ctx: Context, http: httpx.AsyncClient, says: str, body: bytes, authorization: str
) -> None:
    """Bad signatures and unreadable bodies are 401, never 5xx, and change nothing."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = await http.post("/webhooks/livekit", content=body, headers=headers)
    assert answer.status_code == 401, says
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "unauthorized"
    assert LIVEKIT_API_SECRET not in answer.text
    assert LIVEKIT_API_KEY not in answer.text
    assert await tracks(ctx) == []


async def test_a_bearer_prefix_is_taken_too(http: httpx.AsyncClient) -> None:
    """LiveKit sends a bare token; a proxy that adds the scheme does no harm."""
    headers = {"Authorization": f"Bearer {webhooks.sign(BODY)}"}
    answer = await http.post("/webhooks/livekit", content=BODY, headers=headers)
    assert answer.status_code == 200


@pytest.mark.edge("signatures of every wrong kind")
async def test_a_huge_body_is_413(http: httpx.AsyncClient) -> None:
    """It is refused before it is read to the end."""
    body = b"x" * (MAX_BODY_BYTES + 1)
    headers = {"Authorization": webhooks.sign(body)}
    answer = await http.post("/webhooks/livekit", content=body, headers=headers)
    assert answer.status_code == 413


async def test_nobody_hides_that_they_left_behind_what_is_too_much(
    ctx: Context, send: Send
) -> None:
    """Their room is looked at instead. By an event that says nothing it is not."""
    ugly: dict[str, Any] = {"metadata": "\x01" * 64_000, "attributes": {"x": "\x01" * 64_000}}
    who = webhooks.participant(**ugly)
    left = await send(webhooks.event("participant_left", room=webhooks.room(), participant=who))
    assert left.status_code == 200
    rows = await ctx.store.rows(schema.Participant).find().to_list(None)
    assert [row["left_at"] is not None for row in rows] == [True]
    assert await queued(ctx, "attend") == 0
    for name, tracks in (
        ("participant_left", [webhooks.video(name="\x01" * (MAX_BODY_BYTES // 6))]),
        ("participant_left", [{}] * 30_000),
        ("brand_new", [webhooks.video(name="\x01" * (MAX_BODY_BYTES // 6))]),
    ):
        room = webhooks.room(sid=f"RM_{name}_{len(tracks)}")
        more = webhooks.participant(tracks=tracks)
        event = {"event": name, "room": room, "participant": more, "id": "EV_1"}
        assert (await send(event)).status_code == 413
    rooms = [("RM_participant_left_1",), ("RM_participant_left_30000",)]
    assert sorted(await asked_for(ctx)) == rooms


@pytest.mark.parametrize(
    ("name", "status"), [("brand_new", 200), ("participant_joined", 413), ("track_published", 413)]
)
async def test_no_event_stops_whatever_else_is_to_be_answered(
    ctx: Context, send: Send, name: str, status: int
) -> None:
    """Of one that nobody knows nothing is read, of one that holds too much neither."""
    tracks = ",".join(["{}"] * 170_000)
    body = f'{{"event":"{name}","id":"EV_1","participant":{{"tracks":[{tracks}]}}}}'.encode()
    assert len(body) <= MAX_BODY_BYTES
    pauses: list[float] = []

    async def go_on() -> None:
        while True:
            began = time.process_time()
            await asyncio.sleep(0)
            pauses.append(time.process_time() - began)

    going_on = asyncio.create_task(go_on())
    await asyncio.sleep(0)
    answer = await send(body)
    await asyncio.sleep(0)
    going_on.cancel()
    assert answer.status_code == status
    assert max(pauses) < 0.5
    assert await queued(ctx) == 0


@pytest.mark.edge("signatures of every wrong kind")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no.to.ken"}])
async def test_who_shows_no_signature_has_nothing_read(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(4):
            read.append(BODY)
            yield BODY

    answer = await http.post("/webhooks/livekit", content=body(), headers=headers)
    assert answer.status_code == 401
    assert not read


@pytest.mark.edge("signatures of every wrong kind")
async def test_keys_can_be_rotated(make_settings: MakeSettings, http: httpx.AsyncClient,
                                   ctx: Context) -> None:  # fmt: skip
    """With LIVEKIT_KEYS both the old and the new pair are believed."""
    settings = make_settings(livekit_keys="old:" + "o" * 32)
    for key, secret in (("old", "o" * 32), (LIVEKIT_API_KEY, LIVEKIT_API_SECRET)):
        signed = check(webhooks.sign(BODY, key, secret), settings.key_pairs)
        signed.check(BODY)
        assert signed.key == key


async def test_what_could_not_be_stored_is_503(
    make_settings: MakeSettings, send: Send, ctx: Context
) -> None:
    """While Redis is away LiveKit is told to send the event again, and then it counts."""
    async with redis_of(ctx) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", "1")
        try:
            assert (await send(CAMERA)).status_code == 200  # of which nothing is stored
            answer = await send(PUBLISHED)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        finally:
            await redis.config_set("maxmemory", "0")
    assert (await send(PUBLISHED)).json() == {"status": "ok"}
    assert await queued(ctx) == 1


@pytest.mark.parametrize(
    "event",
    [
        webhooks.event("room_started", room=webhooks.room(name="x" * 5000)),
        webhooks.event("room_started", room=webhooks.room(sid="")),
        {**PUBLISHED, "participant": webhooks.participant("x" * 5000)},
        {**PUBLISHED, "id": "x" * 5000},
    ],
)
async def test_who_cannot_be_held_is_refused_once_and_for_all(
    ctx: Context, send: Send, event: dict[str, object]
) -> None:
    """LiveKit would only send it again, and keep the room's next event waiting."""
    answer = await send(event)
    assert (answer.status_code, answer.json()) == (200, {"status": "refused"})
    assert await tracks(ctx) == []
    assert await ctx.store.rows(schema.Room).find_one({}) is None
    assert await queued(ctx) == 0


@hostile.few
@given(
    name=st.sampled_from(
        [
            "room_started",
            "room_finished",
            "participant_joined",
            "participant_left",
            "track_published",
            "track_unpublished",
            "egress_updated",
            "egress_ended",
        ]
    ),
    room=hostile.ROOMS,
    person=hostile.PEOPLE,
    track=hostile.TRACKS,
    egress=hostile.egresses(st.just("")),
)
@example(
    "room_started",
    Room(sid="RM_e", name="e", metadata='{"community":"\\ud800"}'),
    ParticipantInfo(),
    TrackInfo(),
    EgressInfo(),
)
@example("room_started", Room(sid="RM_e", name="e", metadata="[" * 60_000),
         ParticipantInfo(), TrackInfo(), EgressInfo())  # fmt: skip
async def test_whatever_an_event_says_it_is_answered_and_the_next_one_is_stored(
    ctx: Context, send: Send, name: str, room: Room, person: ParticipantInfo, track: TrackInfo,
    egress: EgressInfo,
) -> None:  # fmt: skip
    event = WebhookEvent(
        event=name, id=webhooks.event(name)["id"], room=room, participant=person, track=track,
        egress_info=egress,
    )  # fmt: skip
    answer = await send(MessageToJson(event).encode())
    assert answer.status_code == 200, answer.text
    sid = f"TR_{secrets.token_hex(6)}"
    await send({**PUBLISHED, "id": f"EV_{sid}", "track": webhooks.video(sid)})
    assert await ctx.store.rows(schema.Track).find_one({"_id": sid}) is not None
