"""LiveKit's services, with tokens that hold by a clock that is minutes from ours, too."""

from __future__ import annotations

import time

import jwt
from livekit.api.access_token import Claims, SIPGrants, VideoGrants
from livekit.api.egress_service import EgressService
from livekit.api.room_service import RoomService

HOLDS_SECONDS = 6 * 3600
"""As the library's own: for where our clock is behind."""


def token(key: str, secret: str, grants: VideoGrants | None) -> str:
    """A token for one call. It does not say since when it holds.

    livekit-server refuses one that is to hold only from a minute to come: of a service whose clock
    is ahead by more nothing would be recorded.
    """
    claims = Claims(video=grants).asdict()
    return jwt.encode(claims | {"iss": key, "exp": int(time.time()) + HOLDS_SECONDS}, secret)


class _Signing:
    """Has calls bear such a token."""

    api_key: str
    api_secret: str

    def _auth_header(
        self, grants: VideoGrants | None, sip: SIPGrants | None = None
    ) -> dict[str, str]:
        return {"authorization": f"Bearer {token(self.api_key, self.api_secret, grants)}"}


class Rooms(_Signing, RoomService):
    """Rooms, and who is in them."""


class Egresses(_Signing, EgressService):
    """Recordings."""
