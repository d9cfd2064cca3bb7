"""Our own events: written once, numbered, and delivered at least once to a real HTTP receiver."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from livekit.api import TokenVerifier, WebhookReceiver
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from app import metrics
from app.context import Context
from app.errors import NotFound
from app.events import event_bodies, event_numbers, outbox, postings, sender, settlement
from app.events.contents import BufferStartedContent, RoleChangedContent
from app.models import EventRow, Role
from app.models.metric_words import ErrorKind
from app.models.schema import OutgoingEvent
from app.processes.free_ports import choose_ports
from app.settings import Settings
from app.work.jobs import Busy
from tests import npm
from tests.integration.conftest import MakeSettings
from tests.integration.events.delivering import deliver
from tests.integration.queued import empty_redis, queued
from tests.waiting import wait_for

KEY, SECRET = "events-key", "events-secret-events-secret-32-b"


class Chat:
    """A chat server that takes our events with LiveKit's own receiver."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.status = 200
        self.received: list[Any] = []
        self.bodies: list[dict[str, Any]] = []
        self.plain_status = 200
        self.plain: list[tuple[bytes, str]] = []
        self.plain_gate = asyncio.Event()
        """Not set: the plain target does not answer."""
        self.plain_gate.set()

    async def plain_hook(self, request: Request) -> Response:
        self.plain.append((await request.body(), request.headers["replay-signature"]))
        await self.plain_gate.wait()
        return Response(status_code=self.plain_status)

    async def hook(self, request: Request) -> Response:
        body = (await request.body()).decode()
        if self.status == 200:
            receiver = WebhookReceiver(TokenVerifier(KEY, SECRET))
            self.received.append(receiver.receive(body, request.headers["authorization"]))
            self.bodies.append(json.loads(body))
        return Response(status_code=self.status)


@pytest_asyncio.fixture(scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    port = choose_ports(["chat"], tmp_path_factory.mktemp("chat") / "ports.json")["chat"]
    made = Chat(port)
    app = Starlette(
        routes=[
            Route("/hook", made.hook, methods=["POST"]),
            Route("/hook/plain", made.plain_hook, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started)
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
def settings(make_settings: MakeSettings, chat: Chat) -> Settings:
    chat.status = 200
    chat.received.clear()
    chat.bodies.clear()
    chat.plain_status = 200
    chat.plain.clear()
    chat.plain_gate.set()
    return make_settings(events_url=chat.url, events_key=KEY, events_secret=SECRET)


async def tell(ctx: Context, key: str) -> None:
    content = BufferStartedContent(buffer_id=key, community="default")
    await outbox.tell(ctx, content, key, room="studio", room_sid="RM_1", identity="alice")


async def nobody_listens(row: EventRow) -> None:
    """The room is not live."""


async def rows(ctx: Context) -> list[EventRow]:
    return await ctx.store.rows(OutgoingEvent).find().sort("number", 1).to_list(None)


async def test_livekits_own_receiver_verifies_and_reads_an_event(ctx: Context, chat: Chat) -> None:
    """Receiver code written for LiveKit's webhooks takes ours; the data is where it is kept."""
    await tell(ctx, "b1")
    await deliver(ctx, nobody_listens, "studio")
    (event,) = chat.received
    assert (event.event, event.room.name) == ("buffer_started", "studio")
    assert event.participant.identity == "alice"
    told = json.loads(event.participant.metadata)
    assert (
        told == {"number": 1, "buffer_id": "b1", "community": "default"} == chat.bodies[0]["replay"]
    )
    assert [row["state"] for row in await rows(ctx)] == ["delivered"]


RECEIVE_IN_NODE = """
import { WebhookReceiver } from 'livekit-server-sdk';
const given = JSON.parse(await new Response(process.stdin).text());
const receiver = new WebhookReceiver(given.key, given.secret);
for (const sent of given.sent) {
  try {
    const event = await receiver.receive(sent.body, sent.authorization);
    const { identity, metadata } = event.participant;
    console.log(JSON.stringify({ event: event.event, room: event.room.name, identity, metadata }));
  } catch (error) {
    console.log(JSON.stringify({ refused: true }));
  }
}
"""


async def test_livekits_receiver_for_node_takes_events_too_and_refuses_altered_ones(
    ctx: Context, chat: Chat
) -> None:
    """livekit-server-sdk, as chat servers written in JavaScript use it."""
    npm.NODE.install()
    await tell(ctx, "b1")
    (row,) = await rows(ctx)
    body = json.dumps(event_bodies.like_livekit(row))
    right = {"body": body, "authorization": event_bodies.livekit_token(KEY, SECRET, body.encode())}
    altered = right | {"body": body.replace("alice", "mallory")}
    other = right | {"authorization": event_bodies.livekit_token(KEY, SECRET, b"{}")}
    node = await asyncio.create_subprocess_exec(
        "node", "--input-type=module", "--eval", RECEIVE_IN_NODE, cwd=npm.NODE.folder,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    given = {"key": KEY, "secret": SECRET, "sent": [right, altered, other]}
    output, _ = await node.communicate(json.dumps(given).encode())
    taken, *refused = [json.loads(line) for line in output.splitlines()]
    assert (taken["event"], taken["room"]) == ("buffer_started", "studio")
    assert taken["identity"] == "alice"
    told = {"number": 1, "buffer_id": "b1", "community": "default"}
    assert json.loads(taken["metadata"]) == told
    assert refused == [{"refused": True}] * 2


async def test_the_same_occasion_is_one_event(ctx: Context) -> None:
    """Told again after a crash, or by many workers at once, it is written once."""
    await asyncio.gather(*(tell(ctx, "b1") for _ in range(8)))
    assert len(await rows(ctx)) == 1


async def test_a_rooms_events_are_numbered_without_holes(ctx: Context) -> None:
    """Told at the same moment, however many they are, events still get one number each."""
    await asyncio.gather(*(tell(ctx, f"b{n}") for n in range(80)))
    assert [row["number"] for row in await rows(ctx)] == list(range(1, 81))


async def test_numbers_go_on_when_all_events_of_a_room_have_expired(ctx: Context) -> None:
    """After a quiet week, in a process that has told the earlier ones, and in another one."""
    for known in (True, False):
        await tell(ctx, f"b1 {known}")
        await tell(ctx, f"b2 {known}")
        await deliver(ctx, nobody_listens, "studio")
        assert {row["state"] for row in await rows(ctx)} == {"delivered"}
        await ctx.store.rows(OutgoingEvent).delete_many({})
        if not known:
            outbox._last_numbers.clear()
        await tell(ctx, f"b3 {known}")
        (row,) = await rows(ctx)
        assert row["number"] == (3 if known else 6)


async def test_a_number_is_remembered_before_its_event_may_expire(ctx: Context) -> None:
    """However far a process came that was killed: a row may expire once it is delivered."""
    await tell(ctx, "b1")
    assert await event_numbers.highest(ctx.store, "studio") == 0
    await deliver(ctx, nobody_listens, "studio")
    assert await event_numbers.highest(ctx.store, "studio") == 1
    await ctx.store.write(event_numbers.kept("studio", 5))
    await ctx.store.write(event_numbers.kept("studio", 4))
    assert await event_numbers.highest(ctx.store, "studio") == 5


async def test_a_failed_delivery_is_tried_again_later(ctx: Context, chat: Chat) -> None:
    """While the receiver is down events wait, in order; nothing is lost."""
    chat.status = 503
    await tell(ctx, "b1")
    await tell(ctx, "b2")
    await deliver(ctx, nobody_listens, "studio")
    first, second = await rows(ctx)
    assert (first["state"], first["last_error"]) == ("pending", "HTTP 503")
    assert first["next_try_at"] > datetime.now(UTC)
    assert second["targets"]["default"]["attempts"] == 0
    chat.status = 200
    then = datetime.now(UTC) - timedelta(seconds=1)
    past = {"$set": {"next_try_at": then, "targets.default.next_try_at": then}}
    await ctx.store.rows(OutgoingEvent).update_one({"_id": first["_id"]}, past)
    await deliver(ctx, nobody_listens, "studio")
    assert [told["number"] for told in (body["replay"] for body in chat.bodies)] == [1, 2]


@pytest.mark.parametrize(
    ("status", "sent"), [(400, 3), (413, 3), (422, 3), (408, 1), (429, 1), (500, 1), (503, 1)]
)
async def test_an_event_that_is_refused_is_in_no_other_ones_way(
    ctx: Context, chat: Chat, status: int, sent: int
) -> None:
    """A receiver may refuse one for a text in it; one that takes nothing now is asked later."""
    for key in ("b1", "b2", "b3"):
        await tell(ctx, key)
    chat.status = status
    await deliver(ctx, nobody_listens, "studio")
    found = await rows(ctx)
    attempts = [row["targets"]["default"]["attempts"] for row in found]
    assert attempts == [1] * sent + [0] * (3 - sent)
    assert {row["state"] for row in found} == {"pending"}
    assert found[0]["last_error"] == f"HTTP {status}"


async def test_an_altered_event_is_in_no_other_ones_way(ctx: Context, chat: Chat) -> None:
    await tell(ctx, "b1")
    await tell(ctx, "b2")
    first, _ = await rows(ctx)
    altered = {"$set": {"targets.default.next_try_at": "soon"}}
    await ctx.store.rows(OutgoingEvent).update_one({"_id": first["_id"]}, altered)
    await deliver(ctx, nobody_listens, "studio")
    assert [body["replay"]["number"] for body in chat.bodies] == [2]


async def test_after_a_day_an_event_is_dead_and_can_be_sent_again(ctx: Context, chat: Chat) -> None:
    """What nobody took for a day is kept as a dead letter, until somebody asks for it."""
    chat.status = 500
    await tell(ctx, "b1")
    old = {"$set": {"created_at": datetime.now(UTC) - settlement.GIVE_UP_AFTER}}
    await ctx.store.rows(OutgoingEvent).update_one({}, old)
    await deliver(ctx, nobody_listens, "studio")
    (row,) = await rows(ctx)
    assert row["state"] == "dead"
    chat.status = 200
    assert await sender.send_again(ctx, row["_id"])
    assert not await sender.send_again(ctx, row["_id"])
    await deliver(ctx, nobody_listens, "studio")
    assert len(chat.received) == 1


async def test_dead_events_go_after_a_month(ctx: Context) -> None:
    """As delivered ones go after a week. What may still be sent stays, however old it is."""
    indexes = await ctx.store.rows(OutgoingEvent).index_information()
    expiring = {
        index["key"][0][0]: (index["expireAfterSeconds"], index.get("partialFilterExpression"))
        for index in indexes.values()
        if "expireAfterSeconds" in index
    }
    assert expiring == {
        "delivered_at": (7 * 86_400, None),
        "next_try_at": (30 * 86_400, {"state": "dead"}),
    }


async def test_the_live_room_is_told_once(ctx: Context, chat: Chat) -> None:
    """With the first attempt, whatever becomes of it."""
    said: list[str] = []

    async def say(row: EventRow) -> None:
        said.append(row["event"])

    chat.status = 503
    await tell(ctx, "b1")
    await deliver(ctx, say, "studio")
    await ctx.store.rows(OutgoingEvent).update_many(
        {}, {"$set": {"next_try_at": datetime.now(UTC)}}
    )
    chat.status = 200
    await deliver(ctx, say, "studio")
    assert said == ["buffer_started"]


@pytest.fixture
def with_targets(ctx: Context, settings: Settings, chat: Chat) -> Context:
    """The context of a service with a target in the plain form besides EVENTS_URL, and others."""
    plain = {"name": "plain", "url": f"{chat.url}/plain", "secret": SECRET}
    listed = [
        plain,
        plain | {"name": "guests", "communities": ["guests"]},
        plain | {"name": "ended", "events": ["buffer_ended"]},
    ]
    changed = settings.model_copy(update={"events_targets": SecretStr(json.dumps(listed))})
    return replace(ctx, settings=changed)


async def test_each_target_that_wants_it_gets_an_event_in_its_own_form(
    with_targets: Context, chat: Chat
) -> None:
    await tell(with_targets, "b1")
    await deliver(with_targets, nobody_listens, "studio")
    ((body, header),) = chat.plain
    sent = re.fullmatch(r"t=([0-9]+),v1=[0-9a-f]{64}", header)
    assert sent is not None
    when = datetime.fromtimestamp(int(sent[1]), UTC)
    assert header == event_bodies.signature(SECRET, body, when)
    event = json.loads(body)
    assert (event["type"], event["data"]["number"]) == ("buffer_started", 1)
    assert event["id"] == "buffer_started:b1" == chat.bodies[0]["id"]
    (row,) = await rows(with_targets)
    assert row["state"] == "delivered"
    assert {name: each["state"] for name, each in row["targets"].items()} == {
        "default": "delivered",
        "plain": "delivered",
    }


@pytest.mark.parametrize("name", [None, "ended"])
async def test_a_test_event_goes_to_targets_whatever_they_want(
    with_targets: Context, chat: Chat, name: str | None
) -> None:
    sent = await sender.ping(with_targets, "operator", name)
    await deliver(with_targets, nobody_listens, "")
    found = await sender.find(with_targets, sent["_id"])
    names = {"default", "plain", "guests", "ended"} if name is None else {name}
    assert {each: how["state"] for each, how in found["targets"].items()} == dict.fromkeys(
        names, "delivered"
    )
    assert found["state"] == "delivered"
    told = json.loads(chat.plain[0][0])
    assert (told["type"], told["data"]["identity"]) == ("ping", "operator")
    assert [event.event for event in chat.received] == ["ping"] * (name is None)


async def test_a_test_event_has_to_have_a_target(with_targets: Context) -> None:
    with pytest.raises(NotFound, match="no target 'no-such': there are 'default', 'plain'"):
        await sender.ping(with_targets, "operator", "no-such")
    nowhere = with_targets.settings.model_copy(
        update={"events_targets": SecretStr(""), "events_url": ""}
    )
    with pytest.raises(outbox.NoEventsUrl, match="EVENTS_TARGETS"):
        await sender.ping(replace(with_targets, settings=nowhere), "operator", None)


async def test_a_target_that_does_not_answer_keeps_no_other_waiting(
    with_targets: Context, chat: Chat
) -> None:
    """The others get all, in order; the one gets the rest, in order, when it answers again."""
    chat.plain_status = 503
    for number in range(3):
        await tell(with_targets, f"b{number}")
    await deliver(with_targets, nobody_listens, "studio")
    assert [body["replay"]["number"] for body in chat.bodies] == [1, 2, 3]
    assert len(chat.plain) == 1  # what comes after a failed one waits
    found = [row["targets"] for row in await rows(with_targets)]
    assert [each["default"]["state"] for each in found] == ["delivered"] * 3
    assert [each["plain"]["attempts"] for each in found] == [1, 0, 0]
    assert {row["state"] for row in await rows(with_targets)} == {"pending"}
    chat.plain_status = 200
    chat.plain.clear()
    past = datetime.now(UTC) - timedelta(seconds=1)
    await with_targets.store.rows(OutgoingEvent).update_many(
        {}, {"$set": {"next_try_at": past, "targets.plain.next_try_at": past}}
    )
    await deliver(with_targets, nobody_listens, "studio")
    numbers = [json.loads(body)["data"]["number"] for body, _ in chat.plain]
    assert numbers == [1, 2, 3]
    assert len(chat.bodies) == 3
    assert {row["state"] for row in await rows(with_targets)} == {"delivered"}


async def test_a_target_that_answers_slowly_keeps_no_other_waiting(
    with_targets: Context, chat: Chat
) -> None:
    """Nor what is said into the room: each goes on by itself, and slowness is counted and told."""
    said: list[int] = []

    async def say(row: EventRow) -> None:
        said.append(row["number"])

    async def posted(target: str) -> None:
        await postings.post(with_targets, postings.no_page, "studio", target)

    chat.plain_gate.clear()
    await tell(with_targets, "b0")
    slow = asyncio.create_task(posted("plain"))
    await wait_for(lambda: chat.plain)
    for number in range(1, 4):
        await tell(with_targets, f"b{number}")
        await sender.deliver(with_targets, say, "studio")
        await posted("default")
        assert [body["replay"]["number"] for body in chat.bodies] == [*range(1, number + 2)]
        assert said == [*range(1, number + 2)]
    assert len(chat.plain) == 1
    counted = metrics.ERRORS.labels(ErrorKind.EVENT_TARGET_SLOW)._value
    before, slow_at = counted.get(), time.monotonic() + postings.SLOW_SECONDS
    with capture_logs() as lines:
        await wait_for(lambda: time.monotonic() > slow_at)
        chat.plain_gate.set()
        await slow
    numbers = [json.loads(body)["data"]["number"] for body, _ in chat.plain]
    assert numbers == [1, 2, 3, 4]
    assert {row["state"] for row in await rows(with_targets)} == {"delivered"}
    assert counted.get() == before + 1
    (line,) = [each for each in lines if each["event"] == "event_target_slow"]
    assert line["target"] == "plain"


async def test_a_slow_target_takes_no_more_than_its_part_of_the_worker(
    with_targets: Context, chat: Chat
) -> None:
    """However many rooms have something for it: the rest is due, and asked for again."""
    chat.plain_gate.clear()
    rooms = [f"room {number}" for number in range(postings.ROOMS_AT_ONCE + 5)]
    for room in rooms:
        content = BufferStartedContent(buffer_id=room, community="default")
        await outbox.tell(with_targets, content, room, room=room, room_sid="RM", identity="ann")
    posting = [
        asyncio.create_task(postings.post(with_targets, postings.no_page, room, "plain"))
        for room in rooms
    ]
    await wait_for(lambda: len(chat.plain) == postings.ROOMS_AT_ONCE)
    await wait_for(lambda: sum(task.done() for task in posting) == 5)
    await asyncio.gather(
        *(postings.post(with_targets, postings.no_page, room, "default") for room in rooms[:5])
    )
    assert len(chat.bodies) == 5
    chat.plain_gate.set()
    await asyncio.gather(*posting)
    for room in rooms:
        await postings.post(with_targets, postings.no_page, room, "plain")
    assert len(chat.plain) == len(rooms)


async def test_an_event_is_dead_at_the_target_that_did_not_take_it(
    with_targets: Context, chat: Chat
) -> None:
    """Sent again, it goes there alone."""
    chat.plain_status = 500
    await tell(with_targets, "b1")
    old = {"$set": {"created_at": datetime.now(UTC) - settlement.GIVE_UP_AFTER}}
    await with_targets.store.rows(OutgoingEvent).update_one({}, old)
    await deliver(with_targets, nobody_listens, "studio")
    (row,) = await rows(with_targets)
    assert (row["state"], row["last_error"]) == ("dead", "HTTP 500")
    assert row["targets"]["default"]["state"] == "delivered"
    chat.plain_status = 200
    assert await sender.send_again(with_targets, row["_id"])
    await deliver(with_targets, nobody_listens, "studio")
    assert (len(chat.bodies), len(chat.plain)) == (1, 2)
    assert [each["state"] for each in await rows(with_targets)] == ["delivered"]


async def test_a_target_that_is_gone_gets_nothing_and_nothing_waits_for_it(
    with_targets: Context, ctx: Context, chat: Chat
) -> None:
    await tell(with_targets, "b1")
    await deliver(ctx, nobody_listens, "studio")
    assert (len(chat.bodies), len(chat.plain)) == (1, 0)
    assert [each["state"] for each in await rows(ctx)] == ["delivered"]


def test_backs_off_up_to_a_quarter_of_an_hour() -> None:
    """Attempts come after 1, 2, 4 … seconds, later every 15 minutes."""
    pauses = [postings.back_off_seconds(n) for n in (1, 2, 3, 10, 40)]
    assert pauses == [1, 2, 4, 512, 900]


async def test_however_many_events_a_room_has_one_worker_delivers_them_at_a_time(
    ctx: Context, chat: Chat
) -> None:
    """Otherwise all workers would do nothing but try to be faster than each other."""
    await empty_redis(ctx)
    said: list[int] = []
    may_end = asyncio.Event()

    async def say(row: EventRow) -> None:
        said.append(row["number"])
        await may_end.wait()

    for number in range(20):
        await tell(ctx, f"many-{number}")
    assert await queued(ctx) == 1
    first = asyncio.create_task(sender.deliver(ctx, say, "studio"))
    await wait_for(lambda: said)
    for number in range(20, 40):
        await tell(ctx, f"many-{number}")
    assert await queued(ctx) == 3
    with pytest.raises(Busy):
        await sender.deliver(ctx, say, "studio")
    may_end.set()
    await first
    assert said == list(range(1, 41))
    await postings.post(ctx, postings.no_page, "studio", "default")
    assert len(chat.received) == 40
    await deliver(ctx, say, "studio")
    assert len(chat.received) == 40


async def test_no_community_keeps_anothers_role_changes_waiting(ctx: Context, chat: Chat) -> None:
    """They belong to no room, so all are in one line, in which communities take turns."""

    async def change_role(community: str, key: str) -> None:
        content = RoleChangedContent(
            community=community, role=Role.MEMBER, grants=[], changed_by="ann"
        )
        await outbox.tell(ctx, content, key, room="", room_sid="", identity="bob")

    async def say(row: EventRow) -> None:
        if row["number"] == 1:
            await change_role("quiet", "late")

    for number in range(10):
        await change_role("busy", f"b{number}")
    await change_role("quiet", "early")
    await deliver(ctx, say, "")
    told = [body["replay"] for body in chat.bodies]
    order = [event["community"] for event in told]
    assert order == ["busy", "quiet", "busy", "quiet"] + ["busy"] * 8
    assert [event["number"] for event in told if event["community"] == "busy"] == [*range(1, 11)]
