"""What a request may show to be let in, as OpenAPI describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Credentials = Literal[
    "token",
    "token or signature",
    "token, signature or link",
    "webhook",
    "metrics token",
    "anybody",
]
UNVERSIONED: frozenset[Credentials] = frozenset({"anybody", "webhook", "metrics token"})
"""What machines show: the paths that they ask stay as they are."""
REQUIRED: Mapping[Credentials, list[dict[str, Any]]] = {
    "token": [{"token": []}],
    "token or signature": [{"token": []}, {"signature": [], "expiry": []}],
    "token, signature or link": [
        {"token": []},
        {"signature": [], "expiry": []},
        {"link": []},
    ],
    "webhook": [{"webhook": []}],
    "metrics token": [{"metrics": []}],
    "anybody": [],
}


SCHEMES: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A LiveKit access token, signed with one of the service's key pairs.",
    },
    "signature": {
        "type": "apiKey",
        "in": "query",
        "name": "sig",
        "description": "The signature in a media URL that the service gave; `exp` ends it.",
    },
    "expiry": {"type": "apiKey", "in": "query", "name": "exp"},
    "link": {
        "type": "apiKey",
        "in": "query",
        "name": "link",
        "description": "The secret in the link of a clip, until it expires or is revoked.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "A token that LiveKit signed, with the SHA-256 of the body.",
    },
    "eventSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Replay-Signature",
        "description": "`t=` a Unix time, `,v1=` the HMAC-SHA256 of `time.body` by the target's "
        "secret, in hex.",
    },
    "eventToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "A JWT of ours, HS256 by the target's secret, with the SHA-256 of the body: "
        "`iss` is its key, `sha256` the digest in base64.",
    },
    "metrics": {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN."},
}
