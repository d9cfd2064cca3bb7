"""Whether LiveKit has sent this: the signature of a webhook. Pure, without a web framework."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from livekit.api import TokenVerifier

from app.errors import Unauthorized
from app.models import token_claims

LONGEST_TOKEN = 1024
"""Characters of the header. LiveKit's have some 350, and a name of a key may be long."""

LEEWAY = timedelta(minutes=10)
"""How far LiveKit's clock may be from ours. What is sent again within that is known by its id."""


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
    """What body may follow, one with this SHA-256, and by which key that is said."""

    key: str
    sha256: bytes

    def check(self, body: bytes) -> None:
        """Raises NotSigned if another body was signed."""
        if not hmac.compare_digest(hashlib.sha256(body).digest(), self.sha256):
            raise NotSigned("hash mismatch")


def check(authorization: str | None, key_pairs: Mapping[str, str]) -> Signed:
    """What the header says of the body, which need not have been read. Raises Unauthorized.

    The signature covers the body's bytes by their SHA-256, so they are hashed as they come. Only
    the pair is tried whose key the token names, however many there are.
    """
    if not authorization:
        raise Unauthorized(
            "The request bears no Authorization header. LiveKit signs its webhooks: set "
            "webhook.api_key in livekit.yaml to a key that is known here."
        )
    token = authorization.removeprefix("Bearer ").strip()
    if len(token) > LONGEST_TOKEN:
        raise NotSigned(f"the token has more than {LONGEST_TOKEN} characters")
    try:
        key = token_claims.stated(token).get("iss")
    except Unauthorized as error:
        raise NotSigned(error.detail) from error
    secret = key_pairs.get(key) if isinstance(key, str) else None
    if not isinstance(key, str) or secret is None:
        raise NotSigned("its iss is no key that is known here")
    try:
        claims = TokenVerifier(key, secret, leeway=LEEWAY).verify(token)
        signed = base64.b64decode(claims.sha256 or "")
    # livekit-api raises plain Exception, jwt's errors, protobuf's ParseError and, for odd
    # claims, AttributeError or TypeError: all of them mean the same here
    except Exception as error:
        raise NotSigned(type(error).__name__) from error  # no more: parsers quote their input
    if not signed:
        raise NotSigned("sha256 was not found in the token")
    return Signed(key, signed)
