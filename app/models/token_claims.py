"""What a JSON Web Token states about itself: read before anything of it is believed. Pure.

Whoever sends one has written it, and nobody knows yet who that is: it is read in a time that is
bounded, and names the one key that it is to be tried with.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from app.errors import Unauthorized
from app.models import json_text

LONGEST = 16 * 1024
"""Characters of a token. Its verifier looks at each by itself, at 50 ns."""
MOST_CLAIMS = 500
"""Values of a token. The verifier makes messages of some, at 20 µs each."""
LONGEST_HEADER = 1024
"""Characters of its first part, which a verifier parses before it looks at the signature."""


def stated(token: str) -> Mapping[str, Any]:
    """The token's claims as it states them, not verified.

    Raises Unauthorized that says what is wrong with it, and never holds it.
    """
    if len(token) > LONGEST:
        raise Unauthorized(f"the token has more than {LONGEST} characters")
    try:
        header, payload, _ = token.split(".", 2)
        if len(header) > LONGEST_HEADER:
            raise Unauthorized(f"the token's header has more than {LONGEST_HEADER} characters")
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        if json_text.holds_more(raw, MOST_CLAIMS):
            raise Unauthorized(f"the token's claims are more than {MOST_CLAIMS} values")
        claims = json.loads(raw.decode())
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Unauthorized("it isn't a LiveKit access token") from error
    if not isinstance(claims, dict):
        raise Unauthorized("the token's claims are not a JSON object")
    return claims
