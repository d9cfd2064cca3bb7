"""What shows LiveKit that a call is ours."""

from __future__ import annotations

import time

import jwt
from livekit.api import TokenVerifier, VideoGrants

from app.recording.livekit_services import HOLDS_SECONDS, token

KEY, SECRET = "devkey", "secret of sixteen characters, twice"


def test_a_token_has_its_grants_and_holds_since_ever() -> None:
    """For a livekit-server, too, whose clock is minutes behind ours: it looks at `nbf`."""
    made = token(KEY, SECRET, VideoGrants(room_admin=True, room="studio"))
    claims = jwt.decode(made, SECRET, algorithms=["HS256"], issuer=KEY)
    assert claims.keys() == {"iss", "exp", "video"}
    assert abs(claims["exp"] - time.time() - HOLDS_SECONDS) < 60
    grants = TokenVerifier(KEY, SECRET).verify(made).video
    assert grants is not None
    assert (grants.room_admin, grants.room, grants.room_list) == (True, "studio", None)
