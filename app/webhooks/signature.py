"""Whether LiveKit has sent this: the signature of a webhook. Pure, without a web framework."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.json_format import Parse, ParseError
from livekit.api import TokenVerifier
from livekit.protocol.webhook import WebhookEvent

from app.errors import Unauthorized


class NotSigned(Unauthorized):
    """None of our keys has signed the request. `reason`: what was wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The webhook can't be verified: {reason}. It must carry the body's hash and be signed "
            "with a key that is known here: the service's log names those."
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose body may follow: one with this SHA-256."""

    sha256: bytes

    def event(self, body: bytes) -> WebhookEvent:
        """The event in the body. Raises NotSigned if another body was signed."""
        if not hmac.compare_digest(hashlib.sha256(body).digest(), self.sha256):
            raise NotSigned("hash mismatch")
        try:
            return Parse(body.decode("utf-8"), WebhookEvent(), ignore_unknown_fields=True)
        except (UnicodeDecodeError, ParseError, RecursionError) as error:
            raise NotSigned(type(error).__name__) from error


def check(authorization: str | None, key_pairs: Mapping[str, str]) -> Signed:
    """What the header says of the body, which need not have been read. Raises Unauthorized.

    The signature covers the body's bytes by their SHA-256, so they are hashed as they come.
    """
    if not authorization:
        raise Unauthorized(
            "The request bears no Authorization header. LiveKit signs its webhooks: set "
            "webhook.api_key in livekit.yaml to a key that is known here."
        )
    token = authorization.removeprefix("Bearer ").strip()
    reason = "no key pair is known"
    for key, secret in key_pairs.items():
        try:
            signed = base64.b64decode(TokenVerifier(key, secret).verify(token).sha256 or "")
        # livekit-api raises plain Exception, jwt's errors, protobuf's ParseError and, for odd
        # claims, AttributeError or TypeError: all of them mean the same here
        except Exception as error:  # noqa: BLE001
            reason = type(error).__name__  # no more: parsers quote their input
            continue
        if signed:
            return Signed(signed)
        reason = "sha256 was not found in the token"
    raise NotSigned(reason)
