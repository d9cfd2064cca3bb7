"""Who is calling: an access token becomes a Caller.

The token is the one that the app already made for the room, signed with one of our key pairs; or
one of ours, which POST /session gave for it. Ours is built in the same way, of another kind, and
signed with a secret derived from the pair: LiveKit does not take it, and both end with the pair.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from livekit.api import TokenVerifier
from livekit.api.access_token import Claims, VideoGrants

from app.errors import Unauthorized
from app.models import token_claims
from app.models.instants import FOREVER
from app.models.row_text import is_unicode
from app.settings import Settings

RECORDER_PREFIX = "EG_"
"""Identities of egress recorders, which are no people (livekit/egress names them so)."""

SESSION_KIND = "replay_session"
"""The kind of our own tokens, where LiveKit's say `standard`, `egress`, …"""

SINCE_ATTRIBUTE = "since"
"""Of our own tokens: Unix time, in seconds, at which a LiveKit token was shown for the session."""

ADMIN_UNTIL_ATTRIBUTE = "admin_until"
"""Of those that make an admin: Unix time, in seconds, at which the LiveKit token ends that does."""

GENERATION_ATTRIBUTE = "generation"
"""Of our own tokens: how many times the sessions of their holder had been ended before."""

_PURPOSE = b"replay-buffer session 1"

CLOCK_LEEWAY = timedelta(minutes=1)
"""How far in our future `nbf` may lie: what livekit-server allows too. An `exp` gets none."""


@dataclass(frozen=True)
class Caller:
    """Somebody with a valid token.

    `room`: the token is good for that room only; None: for all. `room_admin` is never set without
    `room`. `can_subscribe` False: the token may not watch others, so it sees only its own share.

    `key` is the API key of the pair that vouches for it. `since` is when a session began, None for
    a LiveKit token; `generation`: that of the user's sessions then. `admin_until`: an admin's
    right that is the token's, not ADMINS', ends then; None without such a right.
    """

    identity: str
    room: str | None = None
    room_admin: bool = False
    instance_admin: bool = False
    can_subscribe: bool = True
    expires_at: datetime | None = None
    key: str = ""
    since: datetime | None = None
    generation: int = 0
    admin_until: datetime | None = None

    @property
    def good_until(self) -> datetime | None:
        """When the token, or a part of its rights, ends."""
        return min((end for end in (self.expires_at, self.admin_until) if end), default=None)

    def expired(self, now: datetime) -> bool:
        """Whether the token, which was valid when it was shown, no longer is as good."""
        return self.good_until is not None and self.good_until <= now


def session_secret(secret: str) -> str:
    """The secret of our own tokens that belongs to a LiveKit secret."""
    return hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).hexdigest()


def verify(settings: Settings, token: str) -> Caller:
    """The caller whose token this is.

    Raises Unauthorized that says what is wrong with the token, and never holds it.
    """
    stated = token_claims.stated(token)
    issuer = stated.get("iss")
    secret = settings.key_pairs.get(issuer) if isinstance(issuer, str) else None
    if not isinstance(issuer, str) or secret is None:
        raise Unauthorized(
            "the token's iss is not an API key that this service knows: sign it with the key pair "
            "of LIVEKIT_API_KEY, or name its pair in LIVEKIT_KEYS"
        )
    ours = stated.get("kind") == SESSION_KIND
    try:
        verifier = TokenVerifier(
            issuer, session_secret(secret) if ours else secret, leeway=CLOCK_LEEWAY
        )
        claims = verifier.verify(token)
    except Exception as error:  # odd claims raise AttributeError, TypeError, ParseError, … too
        raise Unauthorized(f"the token is not valid: {_reason(error)}") from error
    # Only now is what the token states about itself known to be true.
    caller = _caller(claims, settings.admins if issuer not in settings.tenant_keys else None)
    expires_at = _expiry(stated)
    caller = replace(caller, expires_at=expires_at, key=issuer)
    named = caller.instance_admin and caller.identity in settings.admins
    by_token = caller.room_admin or (caller.instance_admin and not named)
    if not ours:
        return replace(caller, admin_until=expires_at if by_token else None)
    found, admin_until = _of_session(caller, claims)
    if not by_token:
        return found
    if admin_until > datetime.now(UTC):
        return replace(found, admin_until=admin_until)
    return replace(found, room_admin=False, instance_admin=named)


def _reason(error: Exception) -> str:
    """What the verifier found, in its own words where these hold nothing of the token."""
    words = {
        "InvalidSignatureError": "its signature is not made with the secret of its key",
        "ExpiredSignatureError": "it has expired: get a fresh one from the app",
        "ImmatureSignatureError": "it is not valid yet: compare the clocks (nbf)",
        "MissingRequiredClaimError": "it needs exp",
        "InvalidAlgorithmError": "it must be signed with HS256",
    }
    return words.get(type(error).__name__, "it can't be read as a LiveKit access token")


def _expiry(stated: Mapping[str, Any]) -> datetime:
    # Verified before as a number that lies at most CLOCK_LEEWAY in the past.
    seconds = int(stated["exp"])
    if seconds <= time.time():
        raise Unauthorized("the token is not valid: it has expired: get a fresh one from the app")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return FOREVER  # beyond the year 9999


def _since(claims: Claims) -> datetime:
    # Whoever holds the pair can have signed it, not only we.
    try:
        return datetime.fromtimestamp(int((claims.attributes or {})[SINCE_ATTRIBUTE]), UTC)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthorized(
            f"the session token's attribute {SINCE_ATTRIBUTE!r} is not the Unix time in seconds at "
            "which the session began: get another with POST /session"
        ) from error


def _of_session(caller: Caller, claims: Claims) -> tuple[Caller, datetime]:
    """The caller of one of our tokens, and when the LiveKit token ends that it goes back to."""
    since = _since(claims)
    attributes = claims.attributes or {}
    try:
        generation = int(attributes.get(GENERATION_ATTRIBUTE, "0"))
        admin_until = datetime.fromtimestamp(int(attributes.get(ADMIN_UNTIL_ATTRIBUTE, "0")), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthorized(
            f"the session token's attributes {GENERATION_ATTRIBUTE!r} and "
            f"{ADMIN_UNTIL_ATTRIBUTE!r} are no numbers: get another with POST /session"
        ) from error
    return replace(caller, since=since, generation=generation), admin_until


def _caller(claims: Claims, admins: tuple[str, ...] | None) -> Caller:
    """The caller whom verified claims name. `admins` None: nobody is an instance admin."""
    identity = claims.identity
    if not isinstance(identity, str) or not identity:
        raise Unauthorized("the token names nobody: it needs sub, the participant's identity")
    if claims.kind not in ("", "standard", SESSION_KIND):
        raise Unauthorized("the token is not a person's: its kind must be standard")
    if identity.startswith(RECORDER_PREFIX):
        raise Unauthorized(f"the token is a recorder's: its sub begins with {RECORDER_PREFIX}")
    video = claims.video or VideoGrants()
    room = video.room
    if not isinstance(room, str):
        raise Unauthorized("the token's video.room is not a string")
    if not (is_unicode(identity) and is_unicode(room)):
        raise Unauthorized("the token's sub or video.room is not valid Unicode")
    # Flags count only as the JSON literal true; a string "false" must not be a yes.
    room_admin = video.room_admin is True
    everything = room_admin and video.room_list is True and video.room_create is True
    instance_admin = everything and not room and not video.room_join
    return Caller(
        identity=identity,
        room=room or None,
        room_admin=room_admin and bool(room),
        instance_admin=admins is not None and (instance_admin or identity in admins),
        can_subscribe=video.can_subscribe is not False,
    )
