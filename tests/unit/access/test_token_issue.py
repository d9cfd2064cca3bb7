"""A token made at the terminal is what the API takes it for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.access.token_issue import issue_token
from app.access.tokens import verify
from app.settings import Settings, load

HOUR = timedelta(hours=1)


@pytest.fixture
def settings() -> Settings:
    return load(
        _env_file=None,
        livekit_api_key="devkey",
        livekit_api_secret="the-secret-of-the-tests-of-32-bytes",
        livekit_keys="old:another-secret-of-the-tests-of-32-bytes",
    )


def test_without_a_room_it_says_only_who_one_is(settings: Settings) -> None:
    caller = verify(settings, issue_token(settings, "alice", ttl=HOUR))
    assert (caller.identity, caller.room, caller.instance_admin) == ("alice", None, False)


def test_a_room_limits_it_to_that_room(settings: Settings) -> None:
    caller = verify(settings, issue_token(settings, "alice", room="demo", ttl=HOUR))
    assert (caller.room, caller.room_admin, caller.instance_admin) == ("demo", False, False)


def test_admin_with_a_room_is_that_room_s_admin(settings: Settings) -> None:
    caller = verify(settings, issue_token(settings, "alice", room="demo", admin=True, ttl=HOUR))
    assert (caller.room, caller.room_admin, caller.instance_admin) == ("demo", True, False)


def test_admin_without_a_room_is_the_instance_s_admin(settings: Settings) -> None:
    caller = verify(settings, issue_token(settings, "root", admin=True, ttl=HOUR))
    assert (caller.room, caller.room_admin, caller.instance_admin) == (None, False, True)


def test_it_lives_as_long_as_asked(settings: Settings) -> None:
    caller = verify(settings, issue_token(settings, "alice", ttl=HOUR))
    assert caller.expires_at
    left = caller.expires_at - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= HOUR
