"""Making an access token, as the operator of the instance."""

from __future__ import annotations

from datetime import timedelta

from livekit.api import AccessToken, VideoGrants

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
