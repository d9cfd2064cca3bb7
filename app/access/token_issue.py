"""Making access tokens: LiveKit's, as the operator of the instance, and our own for sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from livekit.api import AccessToken, VideoGrants

from app.access.tokens import (
    ADMIN_UNTIL_ATTRIBUTE,
    GENERATION_ATTRIBUTE,
    SESSION_KIND,
    SINCE_ATTRIBUTE,
    Caller,
    session_secret,
)
from app.settings import Settings


def issue_token(
    settings: Settings, identity: str, *, room: str = "", admin: bool = False, ttl: timedelta
) -> str:
    """A LiveKit access token for `identity`, signed with LIVEKIT_API_KEY.

    With `room` it joins that room, and with `admin` too it administrates it. `admin` without
    `room` makes an instance admin: roomAdmin, roomList, roomCreate, no room, no roomJoin.
    """
    everything = admin and not room
    grants = VideoGrants(
        room=room,
        room_join=bool(room) or None,
        room_admin=admin or None,
        room_list=everything or None,
        room_create=everything or None,
    )
    key, secret = next(iter(settings.key_pairs.items()))
    token = AccessToken(key, secret).with_identity(identity).with_ttl(ttl).with_grants(grants)
    return token.to_jwt()


@dataclass(frozen=True)
class IssuedSession:
    """A token of ours, and until when it can be exchanged for a fresh one."""

    token: str
    expires_at: datetime
    renewable_until: datetime


def issue_session(
    settings: Settings, caller: Caller, generation: int, now: datetime
) -> IssuedSession:
    """A token with the rights of the one that the caller has just shown, for SESSION_MINUTES.

    Shown one of ours it is renewed, until SESSION_HOURS after a LiveKit token was shown; what makes
    it an admin's ends when that LiveKit token does. Whether ADMINS names the identity is asked
    again with each request: that right is not in the token. `generation`: the present one of the
    caller's sessions.
    """
    since = caller.since or now.replace(microsecond=0)
    renewable_until = since + timedelta(hours=settings.session_hours)
    ends_at = min(now + timedelta(minutes=settings.session_minutes), renewable_until)
    expires_at = ends_at.replace(microsecond=0)
    by_token = caller.instance_admin and caller.identity not in settings.admins
    grants = VideoGrants(
        room=caller.room or "",
        room_admin=caller.room_admin or by_token or None,
        room_list=by_token or None,
        room_create=by_token or None,
        can_subscribe=caller.can_subscribe,
    )
    token = AccessToken(caller.key, session_secret(settings.key_pairs[caller.key]))
    # The library adds it to its own look at the clock, which comes later, and cuts off fractions.
    ttl = expires_at - datetime.now(UTC) + timedelta(seconds=0.5)
    token = token.with_identity(caller.identity).with_ttl(ttl).with_grants(grants)
    attributes = {
        SINCE_ATTRIBUTE: str(int(since.timestamp())),
        GENERATION_ATTRIBUTE: str(generation),
    }
    if caller.admin_until is not None:
        attributes[ADMIN_UNTIL_ATTRIBUTE] = str(int(caller.admin_until.timestamp()))
    token = token.with_attributes(attributes)
    token.claims.kind = SESSION_KIND
    return IssuedSession(token.to_jwt(), expires_at, renewable_until)
