"""Webhooks as livekit-server sends them: one person's stay in a room, signed."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from livekit import api

from tests.bench.running import API_KEY, API_SECRET

PATH = "/webhooks/livekit"


@dataclass(frozen=True)
class Signed:
    """A webhook that is ready to be sent: made beforehand, so that signing is not measured."""

    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Person:
    """Somebody in a room; `share` is the sid of the video track that he would share."""

    room: str
    number: int

    @property
    def sid(self) -> str:
        return f"PA_{self.room}_{self.number}"

    @property
    def share(self) -> str:
        return f"TR_{self.room}_{self.number}_video"

    @property
    def identity(self) -> str:
        return f"person-{self.number}"

    def event(self, name: str, track: dict[str, Any] | None = None) -> Signed:
        """One of this person's events; a `track` belongs to it or not."""
        who = {"sid": self.sid, "identity": self.identity}
        room = {"sid": f"RM_{self.room}", "name": self.room}
        content: dict[str, Any] = {"room": room, "participant": who}
        return signed(name, content | ({"track": track} if track else {}))

    def video(self) -> dict[str, Any]:
        return {
            "sid": self.share,
            "type": "VIDEO",
            "width": 1920,
            "height": 1080,
            "source": "SCREEN_SHARE",
            "mimeType": "video/VP8",
        }

    def audio(self) -> dict[str, Any]:
        sid = f"TR_{self.room}_{self.number}_audio"
        return {"sid": sid, "source": "SCREEN_SHARE_AUDIO", "mimeType": "audio/red"}

    def stay(self, *, sharing: bool) -> Iterator[Signed]:
        """All events from joining to leaving: camera and microphone, and a share with sound."""
        others = [
            {"sid": f"TR_{self.room}_{self.number}_cam", "type": "VIDEO", "source": "CAMERA"},
            {"sid": f"TR_{self.room}_{self.number}_mic", "source": "MICROPHONE"},
        ]
        tracks = [*others, self.video(), self.audio()] if sharing else others
        yield self.event("participant_joined")
        for track in tracks:
            yield self.event("track_published", track)
        for track in reversed(tracks):
            yield self.event("track_unpublished", track)
        yield self.event("participant_left")


def signed(name: str, content: dict[str, Any]) -> Signed:
    """An event with an id of its own, signed as livekit-server signs: the JWT holds the hash."""
    event = {"event": name, "id": f"EV_{secrets.token_hex(8)}", "createdAt": str(int(time.time()))}
    body = json.dumps(event | content).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = api.AccessToken(API_KEY, API_SECRET).with_sha256(digest).with_ttl(timedelta(hours=1))
    headers = {"Authorization": token.to_jwt(), "Content-Type": "application/webhook+json"}
    return Signed(body, headers)
