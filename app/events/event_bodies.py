"""Our events as they are sent: as LiveKit's webhooks, as CloudEvents, or as messages of chats.

LiveKit's receivers drop members that LiveKit does not know, so what an event says travels in
`participant.metadata`, as JSON; readers of the raw body find the same under `replay`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from livekit.api import AccessToken

from app.events import chat_messages, chat_notes
from app.events.chat_notes import ChatNote
from app.events.contents import CONTENTS
from app.models import EventFormat, EventRow, instants
from app.settings.event_targets import EventTarget

SIGNATURE = "Replay-Signature"


@dataclass(frozen=True)
class Posting:
    """What is sent to a target. `url`: where to; `method`: how."""

    url: str
    body: bytes
    headers: dict[str, str]
    method: str = "POST"


def posting_of(
    target: EventTarget, row: EventRow, source: str, now: datetime, page: str | None = None
) -> Posting:
    """An event as a target gets it. `source`: the URL of this service.

    `page`: that of the clip's link, if whoever reads a chat may be given it.
    """
    secret = target.secret.get_secret_value()
    if target.format.is_chat:
        return _message(target, chat_notes.note_of(row, source, page))
    if target.format == EventFormat.LIVEKIT:
        body = json.dumps(like_livekit(row)).encode()
        signed = {"Authorization": livekit_token(target.key, secret, body)}
        return Posting(target.url, body, {"Content-Type": "application/webhook+json", **signed})
    body = json.dumps(plain(row, source), ensure_ascii=False).encode()
    signed = {SIGNATURE: signature(secret, body, now)}
    return Posting(target.url, body, {"Content-Type": "application/cloudevents+json", **signed})


def _message(target: EventTarget, note: ChatNote) -> Posting:
    headers, method, url = {"Content-Type": "application/json"}, "POST", target.url
    if target.format == EventFormat.MATRIX:
        # Sent twice, it is one: the server knows the last part of the path.
        transaction = hashlib.sha256(note.event_id.encode()).hexdigest()[:32]
        method, url = "PUT", f"{url}/{transaction}"
        headers["Authorization"] = f"Bearer {target.secret.get_secret_value()}"
    if target.format == EventFormat.DISCORD:
        # Else it answers before it has kept the message, and never tells of one that it did not.
        url = _with_query(url, wait="true")
    body = json.dumps(chat_messages.MESSAGES[target.format](note)).encode()
    return Posting(url, body, headers, method)


def _with_query(url: str, **query: str) -> str:
    """The URL with these parameters, in place of its own of the same names."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in query]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()])))


def like_livekit(row: EventRow, members: Collection[str] | None = None) -> dict[str, Any]:
    """An event as JSON, in the shape of LiveKit's webhooks.

    `members`: which ones of what it says; None: all.
    """
    said = {k: v for k, v in row["data"].items() if members is None or k in members}
    content = {"number": row["number"], **said}
    return {
        "event": row["event"],
        "id": row["_id"],
        "createdAt": str(int(row["created_at"].timestamp())),
        "room": {"sid": row["room_sid"], "name": row["room"]},
        "participant": {"identity": row["identity"], "metadata": json.dumps(content)},
        "replay": content,
    }


def plain(row: EventRow, source: str) -> dict[str, Any]:
    """An event as a CloudEvent (1.0, structured JSON), with the names of members of /v1."""
    content = CONTENTS[row["event"]].model_validate(row["data"])
    return {
        "specversion": "1.0",
        "id": row["_id"],
        "source": source,
        "type": row["event"],
        "time": instants.written(row["created_at"]),
        "datacontenttype": "application/json",
        "data": {
            "number": row["number"],
            "room": row["room"],
            "room_sid": row["room_sid"],
            "identity": row["identity"],
            **content.model_dump(mode="json"),
        },
    }


def livekit_token(key: str, secret: str, body: bytes) -> str:
    """The Authorization header of a body: a JWT that bears its SHA-256, valid for 5 minutes."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return AccessToken(key, secret).with_sha256(digest).with_ttl(timedelta(minutes=5)).to_jwt()


def signature(secret: str, body: bytes, now: datetime) -> str:
    """The header of a plain body: the HMAC-SHA256 of `timestamp.body`, and that timestamp."""
    timestamp = str(int(now.timestamp()))
    signed = hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hex()}"
