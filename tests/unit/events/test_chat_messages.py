"""Events as messages of chats: what each service takes, and that nobody's text does anything."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.errors import ConfigurationError
from app.events import chat_notes, event_bodies, target_answers
from app.events.contents import (
    BufferEncodingContent,
    BufferErasedContent,
    BufferRefusedContent,
    BufferStartedContent,
    CaptureFailedContent,
    CaptureReadyContent,
    ChatMessage,
    ClipSharedContent,
    ClipWithdrawnContent,
    DeletionRequestedContent,
    EventContent,
    PingContent,
    QuotaExceededContent,
    RoleChangedContent,
    ScreenCapturedContent,
)
from app.events.target_answers import TargetAnswer
from app.models import ClipLoss, EventName, EventRow, EventState, FailureReason, Role, Why
from app.settings import load
from app.settings.event_targets import EventTarget
from tests.chat_schemas import SCHEMAS
from tests.chat_servers import (
    DISCORD_PATH,
    DISCORD_THREAD,
    MATRIX_TOKEN,
    ChatServers,
    target_of,
)

NOW = datetime(2026, 11, 3, 10, 15, tzinfo=UTC)
SOURCE = "https://replay.example.com"
AT = "2026-11-03T10:15:00.000+00:00"
PAGE = f"{SOURCE}/c/secret-of-the-link"
EVIL = (
    "@everyone @here <!channel> <@U123> <#C1> <https://evil.example.com|x> [x](http://evil.com) "
    "**b** `c` ~channel www.evil.com discord.gg/x <b>&amp; @room\n> quote\u202e\x1b[2J "
)


def row(content: EventContent, identity: str = "bob", room: str = "studio") -> EventRow:
    return {
        "_id": f"{content.event}:k/1", "room": room, "room_sid": "RM_1", "identity": identity,
        "number": 7, "event": content.event, "data": content.data, "targets": {},
        "request_hash": "",
        "created_at": NOW, "state": EventState.PENDING, "attempts": 0, "next_try_at": NOW,
        "last_error": "", "delivered_at": None,
    }  # fmt: skip


def shared(title: str = "That goal", text: str = "Look", sharer: str = "ann") -> ClipSharedContent:
    return ClipSharedContent(
        community="default", clip_id="k", file_id="f", title=title, shared_by=sharer,
        duration=90.0, channel_id="general", message=ChatMessage(text=text, attachments=[]),
    )  # fmt: skip


def contents(text: str = "x") -> list[EventContent]:
    """An event of each kind, whose texts of others are this one."""
    made: dict[str, Any] = {
        "community": text, "capture_id": "c", "buffer_id": "b", "shared_by": text, "title": text,
    }  # fmt: skip
    of_clip = {name: made[name] for name in ("community", "buffer_id", "shared_by", "title")}
    of_clip["clip_id"] = "k"
    return [
        BufferStartedContent(community=text, buffer_id="b"),
        BufferRefusedContent(community=text, buffer_id="b", why=Why.DISK),
        CaptureReadyContent(**made, clip_id="k", file_id="f", duration=30.0),
        CaptureFailedContent(**made, reason=FailureReason.STORAGE_FULL, detail=text),
        QuotaExceededContent(**made, quota_bytes=1, used_bytes=1, reserved_bytes=0, needed_bytes=1),
        RoleChangedContent(community=text, role=Role.ADMIN, grants=[], changed_by=text),
        BufferEncodingContent(community=text, buffer_id="b", encoding=text, why=text),
        BufferErasedContent(community=text, buffer_id="b", erased_by=text, start=None, end=AT),
        ScreenCapturedContent(
            community=text, buffer_id="b", clip_id="k", captured_by=text, start=AT, end=AT
        ),
        ClipWithdrawnContent(**of_clip, withdrawn_by=text, loss=ClipLoss.CLOSED),
        DeletionRequestedContent(**of_clip, requested_by=text, reason=text),
        PingContent(community=""),
        shared(text, text, text),
    ]


class Delivery:
    """A target of one of the services, and what comes of sending to it."""

    def __init__(self, service: str, servers: ChatServers) -> None:
        self.servers = servers
        self.target = EventTarget.model_validate(target_of(service, "https://chat.example.com"))
        self.service = service

    async def send(self, event: EventRow, page: str | None = None) -> TargetAnswer:
        posting = event_bodies.posting_of(self.target, event, SOURCE, NOW, page)
        transport = httpx.ASGITransport(self.servers.app)
        async with httpx.AsyncClient(transport=transport) as client:
            return await target_answers.post(client, self.target, posting)

    @property
    def taken(self) -> str:
        """The last message, as it is read."""
        return json.dumps(self.servers.taken[self.service][-1], ensure_ascii=False)


@pytest.fixture(params=list(SCHEMAS))
def delivery(request: pytest.FixtureRequest) -> Delivery:
    return Delivery(request.param, ChatServers())


async def test_each_service_takes_each_event(delivery: Delivery) -> None:
    for content in contents():
        assert await delivery.send(row(content)) == target_answers.TAKEN
    assert len(delivery.servers.taken[delivery.service]) == len(contents())


@pytest.mark.parametrize("text", ["<" * 2000, "*" * 2000, "\U0001f3ac" * 2000, EVIL * 30])
async def test_no_text_is_too_long_for_a_service(delivery: Delivery, text: str) -> None:
    """Whatever its escapes make of it; identities and rooms may have 1024 characters."""
    for content in contents(text):
        event = row(content, identity=text[:1024], room=text[:1024])
        assert await delivery.send(event, PAGE) == target_answers.TAKEN


async def test_a_clip_is_told_with_title_who_length_and_link(delivery: Delivery) -> None:
    await delivery.send(row(shared()), PAGE)
    for said in ("That goal", "Look", "by: bob", "screen of: ann", "length: 1 min 30 s", PAGE):
        assert said in delivery.taken.replace("\\\\", "")
    has_picture = f"{PAGE}/poster.jpg" in delivery.taken
    assert has_picture == (delivery.service != "matrix")


async def test_without_a_page_a_clip_is_seen_by_who_may_see_it(delivery: Delivery) -> None:
    """In the console, which asks who it is; there is no picture that anybody could see."""
    for content in (shared(), contents()[2]):
        await delivery.send(row(content))
        assert f"{SOURCE}/#/clips" in delivery.taken
        assert "/c/" not in delivery.taken
        assert "poster" not in delivery.taken


async def test_what_others_say_does_nothing(delivery: Delivery) -> None:
    """No mention, no link, no markup of theirs is left; the service's own link is the only one."""
    for content in contents(EVIL):
        await delivery.send(row(content, identity=EVIL, room=EVIL))
        text = delivery.taken.replace(f"{SOURCE}/#/clips", "").replace("\\\\", "\\")
        assert not re.search(r"@(?!\u2060)|:(?=//)|(evil|www|discord)\.(?!\u2060)", text)
        assert not re.search(r"[\u202e\x1b]", text)
        if delivery.service == "slack":
            assert not re.search(r"<[!@#h]", text.replace("<|See the clip>", ""))
        if delivery.service in ("discord", "mattermost"):
            rest = text.replace("[See the clip]()", "")
            assert not re.search(r"(?<!\\)(\*\*|`|~|<|\]\()", rest)
        if delivery.service == "matrix":
            html = delivery.servers.taken["matrix"][-1]["formatted_body"]
            tags = re.findall(r"</?(\w+)", html)
            assert set(tags) <= {"strong", "br", "a"}
            assert tags.count("a") == 2 * ("#/clips" in html)


async def test_nobody_is_mentioned() -> None:
    """By each service's own switch; Slack and Mattermost have none, see above."""
    nobody: dict[str, Any]
    for service, member, nobody in (
        ("discord", "allowed_mentions", {"parse": []}),
        ("matrix", "m.mentions", {}),
    ):
        delivery = Delivery(service, ChatServers())
        await delivery.send(row(shared("@here", "@everyone")))
        assert delivery.servers.taken[service][-1][member] == nobody


async def test_discord_says_whether_it_has_kept_a_message() -> None:
    """It says so only to whoever waits; the thread that the URL names is kept."""
    delivery = Delivery("discord", ChatServers())
    for thread, taken in (("1", False), (DISCORD_THREAD, True)):
        url = f"https://chat.example.com{DISCORD_PATH}?wait=false&thread_id={thread}"
        delivery.target = EventTarget.model_validate(delivery.target.model_dump() | {"url": url})
        answer = await delivery.send(row(shared()))
        assert (answer == target_answers.TAKEN) == taken
        assert answer.is_final != taken


async def test_the_same_event_is_one_message_of_matrix() -> None:
    delivery = Delivery("matrix", ChatServers())
    await delivery.send(row(shared()))
    await delivery.send(row(shared()))
    first, second = delivery.servers.transactions
    assert first == second


async def test_a_service_that_is_asked_too_often_is_left_alone(delivery: Delivery) -> None:
    refusal: Response = JSONResponse({"retry_after": 7.5}, 429, headers={"Retry-After": "7.5"})
    delivery.servers.refuse(delivery.service, refusal)
    answer = await delivery.send(row(shared()))
    assert answer == TargetAnswer("HTTP 429", goes_on=False, pause_seconds=7.5)
    refusal = JSONResponse({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, 429)
    delivery.servers.refuse(delivery.service, refusal)
    assert (await delivery.send(row(shared()))).pause_seconds == 2.5
    refusal = Response(status_code=503, headers={"Retry-After": "9" * 9})
    delivery.servers.refuse(delivery.service, refusal)
    answer = await delivery.send(row(shared()))
    assert timedelta(seconds=answer.pause_seconds) == timedelta(hours=1)


async def test_what_a_service_refuses_is_final_and_says_a_word(delivery: Delivery) -> None:
    """Without the secrets of the URL, whatever the server says of them."""
    told = f"no_service {delivery.target.url} {' '.join(delivery.target.secrets)} \x1b[2J"
    delivery.servers.refuse(delivery.service, PlainTextResponse(told, 404))
    answer = await delivery.send(row(shared()))
    assert (answer.goes_on, answer.is_final) == (True, True)
    assert answer.error.startswith("HTTP 404: no_service …")
    assert "secret" not in answer.error
    assert "\x1b" not in answer.error


async def test_no_error_of_the_network_bears_a_secret(delivery: Delivery) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot connect to {request.url}")

    posting = event_bodies.posting_of(delivery.target, row(shared()), SOURCE, NOW)
    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
        answer = await target_answers.post(client, delivery.target, posting)
    assert not answer.goes_on
    assert "secret" not in answer.error
    assert not any(secret in repr(delivery.target) for secret in delivery.target.secrets)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (target_of("slack", "https://h.example.com", secret="s" * 32), "secret must not be given"),
        (target_of("matrix", "https://h.example.com", secret=""), "secret is missing"),
        (target_of("matrix", "https://h.example.com") | {"url": "https://h.example.com/hook-secret"},
         "url must be https://SERVER/_matrix/"),
        (target_of("discord", "http://chat.example.com"), "in the clear"),
    ],
)  # fmt: skip
def test_a_wrong_target_is_told_without_its_secrets(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)) as refused:
        load(
            _env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32,
            events_targets=json.dumps([given]),
        )  # fmt: skip
    for secret in ("of-the-webhook", "slack-secret", "hook-secret", MATRIX_TOKEN):
        assert secret not in str(refused.value)


def test_every_event_has_words() -> None:
    for content in contents():
        assert chat_notes.note_of(row(content), SOURCE, None).lead
    assert {each.event for each in contents()} | {EventName.BUFFER_ENDED} == set(EventName)
