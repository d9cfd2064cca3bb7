"""Signatures of media URLs: whoever holds one may read that one resource until it expires. Pure.

Players fetch by URL and can't send a header; a LiveKit token never stands in a query. A signature
covers the path, every other query parameter (so the window, too) and the expiry. It tells nobody's
name: `holder` and `sharer`, which callers of this module put among the query parameters, are keyed
hashes of identities, by which rate limits, pins and what ends URLs tell users apart.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from app.errors import Unauthorized
from app.settings import Settings

LIFE = timedelta(hours=1)
"""How long a media URL is good, at least, if the token is: the length of a sitting."""

STEP_SECONDS = 600
"""Expiries are multiples of this, so that the same resource keeps its URL for a while, which
lets players and caches know it again."""

_LONGEST = LIFE + timedelta(seconds=2 * STEP_SECONDS)
"""What a URL may still hold: a step more than any is made for, since clocks differ."""

_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_PURPOSE = b"replay-buffer media url 1\0"


def media_keys(settings: Settings, instance: str) -> tuple[bytes, ...]:
    """The signing keys, the current one first: one derived from each pair that is ours alone.

    After a rotation the old pair, still in LIVEKIT_KEYS, goes on verifying. Another installation
    with the same secrets has other keys.
    """
    return tuple(
        hmac.digest(secret.encode(), _PURPOSE + instance.encode(), hashlib.sha256)
        for secret in settings.own_pairs.values()
    )


def expiry(now: datetime, life: timedelta = LIFE) -> datetime:
    """When a URL made now expires: after `life`, at a round time."""
    seconds = int((now + life).timestamp())
    return datetime.fromtimestamp(seconds + -seconds % STEP_SECONDS, UTC)


def signed(
    keys: tuple[bytes, ...], path: str, query: Mapping[str, str], expires_at: datetime
) -> str:
    """`path?query` with `exp` and `sig`. `path` needs no percent-encoding."""
    pairs = sorted(query.items())
    expires = str(int(expires_at.timestamp()))
    mac = _mac(keys[0], _message(path, pairs, expires))
    return f"{path}?{urlencode([*pairs, ('exp', expires), ('sig', mac)])}"


def check(
    keys: tuple[bytes, ...], path: str, query: Iterable[tuple[str, str]], now: datetime
) -> datetime:
    """When the signature among the query's pairs expires.

    Raises Unauthorized if it is missing, made for another resource, expired, or good for longer
    than any that we make.
    """
    pairs = list(query)
    given = [value for name, value in pairs if name == "sig"]
    expiries = [value for name, value in pairs if name == "exp"]
    if len(given) != 1 or len(expiries) != 1:
        raise Unauthorized("the URL needs one sig and one exp: take it as the service gave it")
    rest = sorted(pair for pair in pairs if pair[0] not in ("sig", "exp"))
    if not _SIGNATURE.fullmatch(given[0]) or not _fits(keys, path, rest, expiries[0], given[0]):
        raise Unauthorized("the URL's signature does not fit: take it as the service gave it")
    expires_at = datetime.fromtimestamp(int(expiries[0]), UTC)
    if expires_at <= now:
        raise Unauthorized("the URL has expired: ask for the resource that named it again")
    if expires_at > now + _LONGEST:
        raise Unauthorized("the URL would hold longer than any of ours: ask for the resource again")
    return expires_at


def _fits(
    keys: tuple[bytes, ...], path: str, pairs: list[tuple[str, str]], expires: str, given: str
) -> bool:
    message = _message(path, pairs, expires)
    # A list: every key is compared, whichever fits.
    return any([hmac.compare_digest(_mac(key, message), given) for key in keys])


def _message(path: str, pairs: list[tuple[str, str]], expires: str) -> bytes:
    # GET and HEAD are one class, the only one that signatures are good for.
    # Encoded as one list, so that no part can pass for another.
    return urlencode([("method", "GET"), ("path", path), ("exp", expires), *pairs]).encode()


def _mac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()
