"""Whether LiveKit has sent this: the signature of a webhook. Pure, without a web framework."""

from __future__ import annotations

from collections.abc import Mapping

from livekit.api import TokenVerifier, WebhookReceiver
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


def verify(body: bytes, authorization: str | None, key_pairs: Mapping[str, str]) -> WebhookEvent:
    """The event in a body that one of the key pairs signed. Raises Unauthorized.

    The signature covers the body's bytes by their SHA-256, so they are hashed as they came.
    """
    if not authorization:
        raise Unauthorized(
            "The request bears no Authorization header. LiveKit signs its webhooks: set "
            "webhook.api_key in livekit.yaml to a key that is known here."
        )
    token = authorization.removeprefix("Bearer ").strip()
    failure: Exception | None = None
    try:
        text = body.decode("utf-8")
        for key, secret in key_pairs.items():
            try:
                return WebhookReceiver(TokenVerifier(key, secret)).receive(text, token)
            # livekit-api raises plain Exception, jwt's errors, protobuf's ParseError and, for odd
            # claims, AttributeError or TypeError: all of them mean the same here
            except Exception as error:  # noqa: BLE001
                failure = error
    except UnicodeDecodeError as error:
        failure = error
    raise NotSigned(_reason(failure)) from failure


def _reason(failure: Exception | None) -> str:
    """What was wrong, without a word of what was sent: parsers quote their input."""
    if type(failure) is Exception:
        return str(failure)  # livekit-api's own, of fixed text
    return type(failure).__name__
