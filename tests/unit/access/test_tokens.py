"""Who a token makes its bearer, and which tokens make nobody."""

from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from livekit.api import AccessToken, VideoGrants

from app.access.token_issue import issue_token
from app.access.tokens import Caller, verify
from app.errors import Unauthorized
from app.settings import Settings, load

KEY, SECRET = "key-of-tests", "a-secret-of-at-least-32-characters"
OLD_KEY, OLD_SECRET = "old-key", "an-older-secret-of-at-least-32-characters"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(
        _env_file=None,
        livekit_api_key=KEY,
        livekit_api_secret=SECRET,
        livekit_keys=f"{OLD_KEY}:{OLD_SECRET}",
        admins="root,the boss",
    )


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def token_of(claims: Any, secret: str, algorithm: str = "HS256") -> str:
    """A signed token of any claims, also of those that a library would refuse to sign."""
    digest = {"HS256": "sha256", "HS512": "sha512", "none": None}[algorithm]
    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    message = f"{encoded(header)}.{encoded(json.dumps(claims).encode())}"
    mac = hmac.digest(secret.encode(), message.encode(), digest) if digest else b""
    return f"{message}.{encoded(mac)}"


def signed(key: Any = KEY, secret: str = SECRET, **claims: Any) -> str:
    """A token with these claims, besides iss and an exp in a day."""
    return token_of({"iss": key, "exp": int(time.time()) + 86_400} | claims, secret)


def joining(room: str = "standup", **grants: Any) -> str:
    return signed(sub="ann", video={"room": room, "roomJoin": True} | grants)


def caller(settings: Settings, token: str) -> Caller:
    found = verify(settings, token)
    assert found.expires_at is not None
    return Caller(
        found.identity, found.room, found.room_admin, found.instance_admin, found.can_subscribe
    )


def test_a_join_token_names_its_participant_and_room(settings: Settings) -> None:
    assert caller(settings, joining()) == Caller("ann", room="standup")


def test_the_token_of_livekits_own_library_is_understood(settings: Settings) -> None:
    token = (
        AccessToken(KEY, SECRET)
        .with_identity("ann")
        .with_name("Ann")
        .with_kind("standard")
        .with_grants(VideoGrants(room_join=True, room="standup"))
        .to_jwt()
    )
    assert caller(settings, token) == Caller("ann", room="standup")


def test_a_room_admin_is_one_of_that_room_only(settings: Settings) -> None:
    found = caller(settings, joining(roomAdmin=True))
    assert found == Caller("ann", room="standup", room_admin=True)


def test_room_admin_without_a_room_is_nothing(settings: Settings) -> None:
    assert caller(settings, signed(sub="ann", video={"roomAdmin": True})) == Caller("ann")


EVERYTHING = {"roomAdmin": True, "roomList": True, "roomCreate": True}


def test_the_three_grants_without_a_room_make_an_instance_admin(settings: Settings) -> None:
    assert caller(settings, signed(sub="ops", video=EVERYTHING)).instance_admin


@pytest.mark.parametrize(
    "grants",
    [
        EVERYTHING | {"room": "standup"},
        EVERYTHING | {"roomJoin": True},
        EVERYTHING | {"roomAdmin": False},
        EVERYTHING | {"roomList": False},
        {"roomAdmin": True, "roomList": True},
        EVERYTHING | {"roomCreate": "true"},
    ],
)
def test_less_than_that_makes_no_instance_admin(settings: Settings, grants: dict[str, Any]) -> None:
    assert not caller(settings, signed(sub="ops", video=grants)).instance_admin


def test_an_identity_in_admins_is_an_instance_admin(settings: Settings) -> None:
    token = signed(sub="the boss", video={"room": "standup", "roomJoin": True})
    assert caller(settings, token).instance_admin


@pytest.mark.parametrize(("admin", "room"), [(True, ""), (True, "r"), (False, "r"), (False, "")])
def test_the_tokens_that_we_print_mean_what_they_were_asked_for(
    settings: Settings, admin: bool, room: str
) -> None:
    token = issue_token(settings, "ann", room=room, admin=admin, ttl=timedelta(hours=1))
    found = caller(settings, token)
    assert found.room == (room or None)
    assert found.room_admin == (admin and bool(room))
    assert found.instance_admin == (admin and not room)


def test_who_may_not_subscribe_is_known_for_it(settings: Settings) -> None:
    assert not caller(settings, joining(canSubscribe=False)).can_subscribe
    assert caller(settings, joining(canSubscribe=True)).can_subscribe


def test_each_key_pair_signs_until_it_is_taken_away(settings: Settings) -> None:
    assert caller(settings, signed(OLD_KEY, OLD_SECRET, sub="ann")).identity == "ann"


def test_a_name_of_any_script_and_length_is_an_identity(settings: Settings) -> None:
    name = "../žluť 🎬\n{time}" + "x" * 500
    assert caller(settings, signed(sub=name)).identity == name


NOW = int(time.time())
REFUSED = {
    "nothing": ("", "LiveKit access token"),
    "no token at all": ("abc", "LiveKit access token"),
    "not base64": ("a.ééé.c", "LiveKit access token"),
    "claims that are a list": ("e30." + base64.urlsafe_b64encode(b"[1]").decode() + ".x", "object"),
    "unsigned": (token_of({"iss": KEY, "sub": "ann"}, "", "none"), "not valid"),
    "a key that nobody knows": (signed("other-key", SECRET, sub="ann"), "iss"),
    "iss that is a list": (signed([KEY], SECRET, sub="ann"), "iss"),
    "another secret": (signed(KEY, OLD_SECRET, sub="ann"), "signature"),
    "another pair's secret": (signed(OLD_KEY, SECRET, sub="ann"), "signature"),
    "a second past its end": (signed(sub="ann", exp=NOW - 1), "expired"),
    "long expired": (signed(sub="ann", exp=NOW - 7200), "expired"),
    "without an end": (token_of({"iss": KEY, "sub": "ann"}, SECRET), "exp"),
    "not valid yet": (signed(sub="ann", nbf=NOW + 86_400), "not valid yet"),
    "another algorithm": (
        token_of({"iss": KEY, "sub": "ann", "exp": NOW + 86_400}, SECRET, "HS512"),
        "HS256",
    ),
    "nobody": (signed(video={"room": "r"}), "sub"),
    "an empty name": (signed(sub=""), "sub"),
    "a name that is a number": (signed(sub=5), "LiveKit access token"),
    "a webhook's token": (signed(sha256="abc"), "sub"),
    "an egress": (signed(sub="ann", kind="egress"), "kind"),
    "an agent": (signed(sub="ann", kind="agent"), "kind"),
    "a kind that is a list": (signed(sub="ann", kind=["standard"]), "kind"),
    "a recorder's name": (signed(sub="EG_abc"), "EG_"),
    "grants that are a list": (signed(sub="ann", video=[1]), "LiveKit access token"),
    "grants that are null": (signed(sub="ann", video=None), "LiveKit access token"),
    "a room that is a number": (signed(sub="ann", video={"room": 5}), "video.room"),
    "more than any says": (signed(sub="ann", roomConfig={"agents": [{}] * 8000}), "more than"),
    "a header of more than any says": (f"{encoded(b'{' + b' ' * 1000)}.e30.x", "header"),
    "longer than any is": (signed(sub="ann", metadata="x" * 16_384), "more than"),
    "half a surrogate": (signed(sub="ann\ud800"), "Unicode"),
    "a room of half a surrogate": (signed(sub="ann", video={"room": "\udfff"}), "Unicode"),
}


@pytest.mark.parametrize(("token", "reason"), REFUSED.values(), ids=REFUSED)
def test_any_other_token_is_refused_with_its_reason(
    settings: Settings, token: str, reason: str
) -> None:
    with pytest.raises(Unauthorized, match=reason) as refused:
        verify(settings, token)
    if token:
        assert token not in refused.value.detail
    assert SECRET not in refused.value.detail


def test_the_expiry_is_told(settings: Settings) -> None:
    found = verify(settings, signed(sub="ann", exp=NOW + 5000))
    assert found.expires_at is not None
    assert int(found.expires_at.timestamp()) == NOW + 5000


def test_an_expiry_beyond_all_calendars_is_no_error(settings: Settings) -> None:
    found = verify(settings, signed(sub="ann", exp=10**13))
    assert found.expires_at is not None
