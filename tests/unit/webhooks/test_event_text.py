"""From the text of a webhook to its event: what handlers read of it, and in how long."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from livekit.protocol.egress import StopEgressRequest
from livekit.protocol.webhook import WebhookEvent

from app.recording import facts
from app.webhooks import event_text
from app.webhooks.receiver import MAX_BODY_BYTES
from tests import webhooks
from tests.pace import ProcessorTime

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests/data/real_egress/share_2s/webhooks.jsonl"
BODIES = [json.loads(line)["raw"].encode() for line in RECORDED.read_text().splitlines()]
READERS = [*ROOT.glob("handlers/*.py"), *ROOT.glob("app/recording/*fact*.py"),
           *ROOT.glob("app/recording/*egress*.py")]  # fmt: skip
NAMED = {"event": (), "room": ("room",), "participant": ("participant",), "who": ("participant",),
         "track": ("track",), "info": ("egressInfo",)}  # fmt: skip
"""By the names that readers have for messages: where these stand in an event."""
LISTED_ONLY = {("participant", "tracks")}
"""What is read of LiveKit's answers, which bear the same messages, and not of its events."""
LAYER = {"quality": "HIGH", "width": 1280, "height": 720, "bitrate": 1_700_000, "ssrc": 7,
         "spatialLayer": 2, "rid": "f", "repairSsrc": 8}  # fmt: skip
TRACK = webhooks.video() | {
    "simulcast": True, "mid": "1", "stream": "camera", "version": {"unixMicro": "1795380491000"},
    "layers": [LAYER] * 3,
    "codecs": [{"mimeType": "video/VP8", "mid": "1", "cid": "c", "layers": [LAYER] * 3}] * 2,
}  # fmt: skip


def wanted(event: dict[str, Any], read: event_text.Members) -> dict[str, Any]:
    """What is left of an event as the parser has it, of the members that are read."""
    found = {}
    for name, value in event.items():
        if name not in read:
            continue
        inner = read[name]
        if inner is not None:
            value = [wanted(value[0], inner)] if isinstance(value, list) else wanted(value, inner)
        found[name] = value
    return found


@pytest.mark.parametrize("body", BODIES)
def test_a_real_event_is_read_as_the_parser_reads_it(body: bytes) -> None:
    whole = MessageToDict(Parse(body, WebhookEvent(), ignore_unknown_fields=True))
    read = event_text.event_of(body)
    assert MessageToDict(read) == wanted(whole, event_text.READ)
    assert event_text.name_of(body) == read.event == whole["event"]


def test_the_name_is_looked_for_at_the_beginning_alone() -> None:
    """LiveKit begins with it. Of another order the whole is read."""
    assert event_text.name_of(b' { "event" : "room_started"') == "room_started"
    assert event_text.name_of(b'{"room":{"event":"room_started"}}') is None


@pytest.mark.parametrize("body", BODIES)
def test_a_room_is_found_in_the_first_of_a_real_event(body: bytes) -> None:
    event = json.loads(body)
    begun = body[: body.index(b'"', body.index(b'"sid"') + 10) + 1] if b'"sid"' in body else body
    assert event_text.room_of(begun) == event.get("room", {}).get("sid")
    assert event_text.room_of(json.dumps(event, indent=1).encode()) == event_text.room_of(body)


def test_a_room_is_looked_for_behind_the_name_alone() -> None:
    """What somebody writes of themselves makes it no other one."""
    first = b'{"event":"participant_left","participant":{"identity":"'
    assert event_text.room_of(first + rb"\",\"room\":{\"sid\":\"RM_2\"}}") is None
    assert event_text.room_of(b'{"event":"participant_left","room":{"name":"RM_2","sid":"R') is None


def test_somebody_with_texts_that_are_six_times_as_long_in_json_is_read() -> None:
    """As long as LiveKit takes them, and a room's as well."""
    ugly = "\x01" * 64_000
    who = webhooks.participant(metadata=ugly, attributes={"x": ugly})
    room = webhooks.room() | {"metadata": ugly}
    body = webhooks.body_of(webhooks.event("participant_left", room=room, participant=who))
    assert len(body) < MAX_BODY_BYTES
    assert event_text.event_of(body).participant.identity == "alice"


def test_somebody_with_very_many_tracks_and_texts_is_read() -> None:
    """As many as nobody has, and texts full of what counts outside of them."""
    texts: dict[str, Any] = {
        "metadata": "[{,}]" * 12_000,
        "attributes": {"replay": "off", "x": "[,{" * 20_000},
    }
    who = webhooks.participant(tracks=[TRACK] * 100, **texts)
    body = webhooks.body_of(
        webhooks.event("participant_left", room=webhooks.room(), participant=who)
    )
    assert len(body) < MAX_BODY_BYTES
    read = event_text.event_of(body)
    assert read.participant.identity == "alice"
    assert facts.has_opted_out(read.participant)


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        ('{"participant":{"tracks":[', "{},", "{}]}}"),
        ('{"participant":{"tracks":[', '{"layers":[{}]},', "{}]}}"),
        ('{"participant":{"attributes":{', '"%x":"",', '"replay":"off"}}}'),
        ('{"egressInfo":{"fileResults":[', "{},", "{}]}}"),
        ('{"room":', "[", ""),
        ('{"id":"', "\\u0000", '"}'),
        ("[", "[],", "0]"),
    ],
)
def test_whatever_a_key_has_signed_is_read_or_refused_in_no_time(
    before: str, unit: str, after: str
) -> None:
    """Of the largest body that is taken, and those that are just not refused unread.

    It takes 7 ms at most; by the parser of protobuf's own it was seconds.
    """
    for size in (MAX_BODY_BYTES, 4 * event_text.MOST_VALUES, event_text.MOST_VALUES):
        times = (size - len(before) - len(after)) // (len(unit) + 4 * ("%" in unit))
        units = (unit % number if "%" in unit else unit for number in range(times))
        body = (before + "".join(units) + after).encode()
        with ProcessorTime() as cost, suppress(ValueError, ParseError, RecursionError):
            event_text.event_of(body)
        assert cost.seconds < 0.5


def test_every_field_that_is_read_of_an_event_is_kept() -> None:
    """Whoever reads another one of an event has to have it kept."""
    for path in READERS:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            message, read = _message(node.value.id)
            field = message.fields_by_name.get(node.attr)
            is_kept = field is None or field.json_name in read
            assert is_kept or (node.value.id, node.attr) in LISTED_ONLY, (path, node.attr)


def _message(name: str) -> tuple[Any, event_text.Members]:
    """The message that readers call so, and what is kept of it. Another name: an empty one."""
    place = NAMED.get(name)
    if place is None:
        return StopEgressRequest.DESCRIPTOR, {"egressId": None}
    message: Any = WebhookEvent.DESCRIPTOR
    read = event_text.READ
    for each in place:
        message = message.fields_by_camelcase_name[each].message_type
        read = read[each] or {}
    return message, read
