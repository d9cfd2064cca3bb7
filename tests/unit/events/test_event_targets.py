"""Who gets which of our events, in which form, and what is said of targets that are wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from app.errors import ConfigurationError
from app.events import event_bodies
from app.events.contents import CONTENTS, CaptureReadyContent
from app.models import EventFormat, EventName, EventRow, EventState
from app.settings import Settings, load
from app.settings.event_targets import EventTarget

SECRET = "s" * 32
CHAT = {"name": "chat", "url": "https://chat.example.com/hook", "secret": SECRET}
NOW = datetime(2026, 11, 3, 10, 15, 0, 250_000, tzinfo=UTC)


def settings(targets: object, **given: object) -> Settings:
    text = targets if isinstance(targets, str) else json.dumps(targets)
    return load(
        _env_file=None, livekit_api_key="k", livekit_api_secret=SECRET, events_targets=text, **given
    )


def target(**given: Any) -> EventTarget:
    return EventTarget.model_validate(CHAT | given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{", "must be a JSON list of targets"),
        ({"name": "chat"}, "must be a JSON list of targets"),
        (["chat"], "target 1:"),
        ([CHAT, {"name": "x", "url": CHAT["url"]}], "target 2: secret"),
        ([CHAT | {"url": "chat.example.com"}], "url must be a URL"),
        ([CHAT | {"url": ""}], "target 1: url"),
        ([CHAT | {"secret": "short"}], "the secret of 'chat' in EVENTS_TARGETS has 5 bytes"),
        ([CHAT | {"name": "my chat"}], "target 1: name"),
        ([CHAT | {"name": "a.b"}], "target 1: name"),
        ([CHAT | {"name": "default"}], "'default' is that of EVENTS_URL"),
        ([CHAT, CHAT], "more than one target of the name 'chat'"),
        ([CHAT | {"events": ["clip_posted"]}], "target 1: events.0"),
        ([CHAT | {"format": "xml"}], "target 1: format"),
        ([CHAT | {"format": "livekit"}], "needs a key"),
        ([CHAT | {"event": ["clip_shared"]}], "target 1: event"),
        ([CHAT | {"url": "http://chat.example.com/x"}], "in the clear"),
    ],
)
def test_a_wrong_target_is_named_and_no_secret_is_shown(given: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(given)
    assert told in str(refused.value)
    assert "EVENTS_TARGETS" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_without_targets_there_are_none_and_events_url_is_the_first() -> None:
    assert settings("").all_event_targets == ()
    own = {"events_url": "https://a.example.com", "events_key": "a", "events_secret": SECRET}
    first, second = settings([CHAT], **own).all_event_targets
    assert (first.name, first.format, first.key) == ("default", EventFormat.LIVEKIT, "a")
    assert (second.name, second.format) == ("chat", EventFormat.PLAIN)
    assert SECRET not in repr(settings([CHAT], **own))


@pytest.mark.parametrize(
    ("targets", "posted"),
    [
        ("", False),
        ([CHAT], True),
        ([CHAT | {"events": ["clip_shared"], "rooms": ["lounge"]}], True),
        ([CHAT | {"events": ["capture_ready"]}], False),
        ([CHAT | {"events": ["capture_ready"]}, CHAT | {"name": "all"}], True),
    ],
)
def test_clips_are_posted_where_a_target_hears_of_shared_ones(targets: Any, posted: bool) -> None:
    """Not where there are targets of other events only: nobody would hear of the clip."""
    assert settings(targets).posts_clips == posted


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"events": ["clip_shared"]}, True),
        ({"events": ["capture_ready"]}, False),
        ({"rooms": ["studio", "lounge"]}, True),
        ({"rooms": ["lounge"]}, False),
        ({"communities": ["guests"]}, True),
        ({"communities": ["default"]}, False),
        ({"events": ["clip_shared"], "rooms": ["studio"], "communities": ["guests"]}, True),
        ({"events": ["clip_shared"], "rooms": ["lounge"], "communities": ["guests"]}, False),
    ],
)
def test_a_target_wants_what_all_of_its_filters_let_through(
    filters: dict[str, list[str]], wanted: bool
) -> None:
    assert target(**filters).wants(EventName.CLIP_SHARED, "studio", "guests") == wanted


def test_what_belongs_to_no_room_is_for_no_target_with_rooms() -> None:
    assert target().wants(EventName.ROLE_CHANGED, "", "guests")
    assert not target(rooms=["studio"]).wants(EventName.ROLE_CHANGED, "", "guests")


def row() -> EventRow:
    content = CaptureReadyContent(
        community="guests", capture_id="c", buffer_id="b", shared_by="ann", title="🎬", clip_id="k",
        file_id="f", duration=30.0,
    )  # fmt: skip
    return {
        "_id": "capture_ready:c", "room": "studio", "room_sid": "RM_1", "identity": "bob",
        "number": 7, "event": content.event, "data": content.data, "targets": {},
        "request_hash": "",
        "created_at": NOW, "state": EventState.PENDING, "attempts": 0, "next_try_at": NOW,
        "last_error": "", "delivered_at": None,
    }  # fmt: skip


def test_the_plain_form_is_a_cloudevent_with_the_names_of_now() -> None:
    posting = event_bodies.posting_of(target(), row(), "https://replay.example.com", NOW)
    assert posting.headers["Content-Type"] == "application/cloudevents+json"
    assert posting.headers["Replay-Signature"].startswith("t=1793700900,v1=")
    assert json.loads(posting.body) == {
        "specversion": "1.0",
        "id": "capture_ready:c",
        "source": "https://replay.example.com",
        "type": "capture_ready",
        "time": "2026-11-03T10:15:00.250Z",
        "datacontenttype": "application/json",
        "data": {
            "number": 7, "room": "studio", "room_sid": "RM_1", "identity": "bob",
            "community": "guests", "capture_id": "c", "buffer_id": "b", "sharer": "ann",
            "title": "🎬", "moment_id": None, "clip_id": "k", "file_id": "f",
            "duration_seconds": 30.0,
        },
    }  # fmt: skip


def test_the_form_of_livekits_webhooks_keeps_the_names_of_before() -> None:
    given = target(format="livekit", key="replay", secret=SecretStr(SECRET))
    posting = event_bodies.posting_of(given, row(), "https://replay.example.com", NOW)
    assert posting.headers["Content-Type"] == "application/webhook+json"
    replay = json.loads(posting.body)["replay"]
    assert (replay["shared_by"], replay["duration"], replay["number"]) == ("ann", 30.0, 7)
    assert {"sharer", "duration_seconds"} & replay.keys() == set()


def test_each_event_says_what_it_is() -> None:
    """By a class of its own, whose members have a name for each form."""
    assert set(CONTENTS) == set(EventName)
    for name, content in CONTENTS.items():
        assert content.event == name
        aliases = [each.alias or member for member, each in content.model_fields.items()]
        assert len(aliases) == len(set(aliases))
