"""Tokens of our own: the same rights, a short life, and an end with the key that vouched."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit.api import AccessToken, TokenVerifier, VideoGrants

from app.access.token_issue import issue_session, issue_token
from app.access.tokens import session_secret, verify
from app.errors import Unauthorized
from app.settings import Settings, load

KEY, SECRET = "devkey", "the-secret-of-the-tests-of-32-bytes"
OLD_KEY, OLD_SECRET = "old", "another-secret-of-the-tests-of-32-bytes"
HOUR = timedelta(hours=1)


def make(**given: Any) -> Settings:
    pairs = {"livekit_api_key": KEY, "livekit_api_secret": SECRET}
    return load(_env_file=None, **(pairs | {"livekit_keys": f"{OLD_KEY}:{OLD_SECRET}"} | given))


def livekit_token(identity: str = "ann", key: str = KEY, secret: str = SECRET, **video: Any) -> str:
    token = AccessToken(key, secret).with_identity(identity).with_grants(VideoGrants(**video))
    return token.to_jwt()


ROLES: dict[str, dict[str, Any]] = {
    "member": {"room": "standup", "room_join": True},
    "of all rooms": {},
    "may not subscribe": {"room": "standup", "room_join": True, "can_subscribe": False},
    "room admin": {"room": "standup", "room_join": True, "room_admin": True},
    "instance admin": {"room_admin": True, "room_list": True, "room_create": True},
}


@pytest.mark.parametrize("role", ROLES)
def test_a_session_has_the_rights_of_the_token_it_was_given_for(role: str) -> None:
    settings = make(admins="root")
    now = datetime.now(UTC)
    shown = verify(settings, livekit_token(**ROLES[role]))
    session = issue_session(settings, shown, 0, now)
    found = verify(settings, session.token)
    same: dict[str, Any] = {"expires_at": None, "since": None}
    assert replace(found, **same) == replace(shown, **same)
    assert found.expires_at == session.expires_at
    assert timedelta(minutes=14) < session.expires_at - now <= timedelta(minutes=15)
    assert session.renewable_until - now > timedelta(hours=11, minutes=59)


def test_whether_somebody_is_named_an_admin_is_asked_each_time() -> None:
    settings = make(admins="root")
    shown = verify(settings, livekit_token("root", room="standup", room_join=True))
    token = issue_session(settings, shown, 0, datetime.now(UTC)).token
    assert verify(settings, token).instance_admin
    assert not verify(make(), token).instance_admin


def test_it_is_renewed_for_half_a_day_and_no_longer() -> None:
    """However often: what counts is when a LiveKit token was shown last."""
    settings = make()
    now = datetime.now(UTC)
    began = issue_session(settings, verify(settings, livekit_token()), 0, now)
    again = issue_session(settings, verify(settings, began.token), 0, now + timedelta(minutes=10))
    assert again.renewable_until == began.renewable_until
    late = began.renewable_until - timedelta(minutes=5)
    last = issue_session(settings, verify(settings, again.token), 0, late)
    assert last.expires_at == began.renewable_until


def test_it_ends_with_the_key_pair_that_vouched_for_it() -> None:
    """Rotating a pair out of the settings ends the sessions begun with it, and no others."""
    settings = make()
    token = {
        key: issue_session(
            settings, verify(settings, livekit_token(key=key, secret=secret)), 0, datetime.now(UTC)
        ).token
        for key, secret in ((KEY, SECRET), (OLD_KEY, OLD_SECRET))
    }
    assert verify(settings, token[OLD_KEY]).key == OLD_KEY
    rotated = make(livekit_keys="")
    assert verify(rotated, token[KEY]).identity == "ann"
    with pytest.raises(Unauthorized):
        verify(rotated, token[OLD_KEY])
    with pytest.raises(Unauthorized):
        verify(make(livekit_api_secret="yet-another-secret-of-32-bytes!!"), token[KEY])


def with_claims(token: str, **claims: Any) -> str:
    """The token with other claims and its old signature."""
    head, body, mac = token.split(".")
    stated = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | claims
    changed = base64.urlsafe_b64encode(json.dumps(stated).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{mac}"


def test_the_two_kinds_of_token_never_pass_for_each_other() -> None:
    """LiveKit can't take ours, and what LiveKit's secret signs is no session."""
    settings = make()
    ours = issue_session(settings, verify(settings, livekit_token()), 0, datetime.now(UTC)).token
    with pytest.raises(Exception, match="Signature"):
        TokenVerifier(KEY, SECRET).verify(ours)
    posing = AccessToken(KEY, SECRET).with_identity("ann")
    posing.claims.kind = "replay_session"
    derived = AccessToken(KEY, session_secret(SECRET)).with_identity("ann")
    for token in (
        posing.to_jwt(),
        derived.to_jwt(),
        with_claims(ours, kind="standard"),
        with_claims(ours, sub="root"),
        with_claims(ours, exp=int(datetime.now(UTC).timestamp()) + 86_400),
    ):
        with pytest.raises(Unauthorized):
            verify(settings, token)


def test_a_tenants_key_makes_no_instance_admin() -> None:
    """Neither by grants nor by a name that ADMINS holds, nor by a session begun with it."""
    settings = make(tenant_keys=f"{OLD_KEY}, {OLD_KEY}", admins="root")
    everything = ROLES["instance admin"]
    own = {"key": OLD_KEY, "secret": OLD_SECRET}
    for token in (livekit_token(**own, **everything), livekit_token("root", **own)):
        shown = verify(settings, token)
        assert not shown.instance_admin
        session = issue_session(settings, shown, 0, datetime.now(UTC))
        assert not verify(settings, session.token).instance_admin
    assert verify(settings, livekit_token(**everything)).instance_admin
    assert verify(settings, issue_token(settings, "ops", admin=True, ttl=HOUR)).instance_admin


@pytest.mark.parametrize(
    "attributes",
    [{}, {"since": ""}, {"since": "yesterday"}, {"since": "9" * 30}, {"since": None}, ["since"]],
)
def test_a_session_that_does_not_say_when_it_began_is_refused(attributes: Any) -> None:
    """Whoever holds a key pair can sign one."""
    token = AccessToken(KEY, session_secret(SECRET)).with_identity("ann")
    token.claims.kind = "replay_session"
    token.claims.attributes = attributes
    with pytest.raises(Unauthorized, match="'since' is not the Unix time in seconds"):
        verify(make(), token.to_jwt())


@pytest.mark.parametrize("role", ["room admin", "instance admin"])
def test_what_makes_an_admin_ends_with_the_livekit_token(role: str) -> None:
    """The session goes on, as that of anybody in the room."""
    settings, now = make(), datetime.now(UTC)
    shown = verify(settings, livekit_token(**ROLES[role]))
    assert shown.admin_until == shown.expires_at
    first = verify(settings, issue_session(settings, shown, 0, now).token)
    assert first.room_admin or first.instance_admin
    assert first.admin_until == shown.expires_at  # not renewed with the session
    over = replace(first, admin_until=now - timedelta(seconds=1))
    later = verify(settings, issue_session(settings, over, 0, now).token)
    assert (later.identity, later.room) == (shown.identity, shown.room)
    assert (later.room_admin, later.instance_admin) == (False, False)
    assert not verify(settings, issue_session(settings, later, 0, now).token).room_admin


def test_whom_admins_names_stays_one_when_the_livekit_token_ends() -> None:
    settings, now = make(admins="root"), datetime.now(UTC)
    shown = verify(settings, livekit_token("root", **ROLES["room admin"]))
    over = replace(shown, admin_until=now - timedelta(seconds=1))
    found = verify(settings, issue_session(settings, over, 0, now).token)
    assert (found.room_admin, found.instance_admin) == (False, True)


def test_a_caller_is_as_good_as_shown_until_the_first_of_its_rights_ends() -> None:
    now = datetime.now(UTC)
    caller = replace(verify(make(), livekit_token()), admin_until=now + timedelta(seconds=5))
    assert caller.good_until == now + timedelta(seconds=5)
    assert caller.expired(now + timedelta(seconds=5))
    assert not replace(caller, admin_until=None).expired(now + timedelta(seconds=5))


def test_a_session_bears_how_many_were_ended_before() -> None:
    settings = make()
    token = issue_session(settings, verify(settings, livekit_token()), 3, datetime.now(UTC)).token
    assert verify(settings, token).generation == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generation", ""),
        ("generation", "x"),
        ("admin_until", ""),
        ("admin_until", "x"),
        ("admin_until", "9" * 30),
    ],
)
def test_a_session_with_other_than_numbers_of_ours_is_refused(name: str, value: str) -> None:
    """Whoever holds a key pair can sign one."""
    token = AccessToken(KEY, session_secret(SECRET)).with_identity("ann")
    token.claims.kind = "replay_session"
    token.claims.attributes = {"since": "1795000000", name: value}
    with pytest.raises(Unauthorized, match="are no numbers"):
        verify(make(), token.to_jwt())
