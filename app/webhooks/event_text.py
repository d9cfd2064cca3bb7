"""From the text of a webhook to its event: read as far as handlers do, in a time that is bounded.

What a key has signed was written by whoever holds it. Protobuf's reader of JSON is Python: it takes
20 µs for each value, of which a text of a MiB holds hundreds of thousands. So the name comes first,
then how much there is is told, and of the rest only what a handler reads becomes an event. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from livekit.protocol.webhook import WebhookEvent

from app.models import json_text
from app.recording import attributes

MOST_VALUES = 20_000
"""Of one event. Somebody with 100 tracks in all of their layers makes it 12,000."""
_NAME = re.compile(rb'\s*\{\s*"event"\s*:\s*"(\w{1,100})"')
_ROOM = re.compile(_NAME.pattern + rb'\s*,\s*"room"\s*:\s*\{\s*"sid"\s*:\s*"(\w{1,100})"')

Members = Mapping[str, "Members | None"]
"""By name in JSON: the members of a message that are read, None for what is no message."""


def _values(*names: str) -> Members:
    return dict.fromkeys(names)


READ: Members = {
    **_values("event", "id", "createdAt"),
    "room": _values("sid", "name", "metadata"),
    "participant": {
        **_values("sid", "identity", "kind", "joinedAt", "joinedAtMs"),
        "permission": _values("canUpdateMetadata"),
        "attributes": _values(*attributes.READ),
    },
    "track": _values("sid", "source", "width", "height", "mimeType", "encryption"),
    "egressInfo": {
        **_values("egressId", "roomId", "roomName", "status", "error", "errorCode"),
        **_values("startedAt", "updatedAt", "endedAt"),
        "trackComposite": {
            **_values("videoTrackId", "audioTrackId"),
            "segmentOutputs": _values("filenamePrefix"),
        },
        "segmentResults": _values("startedAt"),
    },
}
"""Whoever reads more of an event adds it. Of a list of messages it is the first one."""


class TooMuch(ValueError):
    """The text holds more values than any event has."""


def name_of(body: bytes) -> str | None:
    """The name of an event, with which LiveKit begins; None where it does not stand there."""
    found = _NAME.match(body)
    return found and found[1].decode()


def room_of(body: bytes) -> str | None:
    """The sid of an event's room, which stands behind the name; None where it does not.

    Of an event that is not read: the rest of it need not be there.
    """
    found = _ROOM.match(body)
    return found and found[2].decode()


def event_of(body: bytes) -> WebhookEvent:
    """The event, with what handlers read of it.

    Raises TooMuch, another ValueError, ParseError or RecursionError if there is none.
    """
    text = body.decode()
    if json_text.holds_more(body, MOST_VALUES):
        raise TooMuch(f"the event holds more than {MOST_VALUES} values")
    given = json.loads(text)
    if not isinstance(given, dict):
        raise ValueError(f"an event is a JSON object, not {type(given).__name__}")
    return ParseDict(_read(given, READ), WebhookEvent(), ignore_unknown_fields=True)


def _read(given: Any, wanted: Members) -> Any:
    """What is wanted of a message, or of the first one of a list."""
    if isinstance(given, list):
        return [_read(each, wanted) for each in given[:1]]
    if not isinstance(given, dict):
        return given
    return {
        name: value if inner is None else _read(value, inner)
        for name, inner in wanted.items()
        if (value := given.get(name)) is not None
    }
