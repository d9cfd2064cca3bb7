"""Which looks at a clip's link count: one in a minute from the same address.

Who has looked is known in the memory of this process alone, for a minute, and by a hash that nobody
else can make. What is kept is a number.
"""

from __future__ import annotations

import hashlib
import secrets

from starlette.requests import Request

from app.work.parties import party
from app.work.rate_buckets import RateBuckets

PERIOD_SECONDS = 60.0


class LinkViews:
    """The looks of the last minute."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._looks = RateBuckets(1, PERIOD_SECONDS)

    def counts(self, clip_id: str, address: str, now: float | None = None) -> bool:
        """Whether a look from an address is a view of its own. `now`: of the monotonic clock."""
        about = f"{clip_id}\0{party(address)}".encode()
        return not self._looks.take(hashlib.blake2b(about, key=self._key).hexdigest(), now)


def is_look(request: Request, *, by_tls: bool) -> bool:
    """Whether a request is somebody's who looks at a page, not one of a program that reads it.

    Browsers say what they want a page for, if it comes by TLS or from their own machine. Programs
    that unfurl links say nothing.
    """
    given = request.headers
    if request.method != "GET" or "sec-purpose" in given:  # fetched ahead
        return False
    mode = given.get("sec-fetch-mode")
    if mode is None:
        return not by_tls and "text/html" in given.get("accept", "")
    return mode == "navigate"
