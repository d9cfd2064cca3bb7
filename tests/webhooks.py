"""Webhooks as livekit-server sends them: protojson bodies, signed with the body's hash."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from datetime import timedelta
from typing import Any

from livekit import api

from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET


def event(name: str, **members: Any) -> dict[str, Any]:
    """An event with an id of its own, made now."""
    told = {"id": f"EV_{secrets.token_hex(6)}", "createdAt": str(int(time.time()))}
    return {"event": name, **told, **members}


def room(name: str = "studio", sid: str = "RM_1") -> dict[str, Any]:
    return {"sid": sid, "name": name}


def participant(identity: str = "alice", sid: str = "PA_1", **more: Any) -> dict[str, Any]:
    return {"sid": sid, "identity": identity, **more}


def video(sid: str = "TR_V", **more: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "type": "VIDEO",
        "width": 1280,
        "height": 720,
        "source": "SCREEN_SHARE",
        "mimeType": "video/VP8",
        **more,
    }


def audio(sid: str = "TR_A") -> dict[str, Any]:
    """Share audio: LiveKit leaves its type out, because AUDIO is 0."""
    return {"sid": sid, "source": "SCREEN_SHARE_AUDIO", "mimeType": "audio/red"}


def body_of(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def sign(
    body: bytes,
    key: str = LIVEKIT_API_KEY,
    secret: str = LIVEKIT_API_SECRET,
    ttl: timedelta = timedelta(minutes=5),
) -> str:
    """The Authorization header for a body: a bare JWT, as LiveKit sends it."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return api.AccessToken(key, secret).with_sha256(digest).with_ttl(ttl).to_jwt()
