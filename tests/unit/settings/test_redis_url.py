"""app.settings.redis_url: what redis-py is given of a URL, and whom it asks for the server."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import parse_url

from app.settings.redis_url import RedisUrl, taken_apart


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:p%40ss%2Fw%251@h:6379/3?client_name=replay",
        "rediss://user:p@h?ssl_cert_reqs=none",
        "unix://user@/run/a@b.sock?db=1&password=p",
    ],
)
def test_what_redis_py_takes_is_left_to_it(url: str) -> None:
    assert taken_apart(url) == RedisUrl(url)


def test_sentinels_have_their_hosts_and_their_own_login() -> None:
    """User, password, database and options are those of the server that they name."""
    found = taken_apart(
        "redis+sentinel://user:p%40ss@h1:1,h2,[::1]:3/my%2Fmaster/5"
        "?client_name=x&sentinel_username=su&sentinel_password=s%2Fp"
    )
    assert found.sentinels == (("h1", 1), ("h2", 26379), ("::1", 3))
    assert (found.service, found.sentinel_username, found.sentinel_password) == (
        "my/master", "su", "s/p",
    )  # fmt: skip
    given = parse_url(found.plain)
    assert {name: given.get(name) for name in ("username", "password", "db", "client_name")} == {
        "username": "user", "password": "p@ss", "db": 5, "client_name": "x",
    }  # fmt: skip
    assert "connection_class" not in given


def test_sentinels_behind_tls_are_asked_and_named_servers_reached_by_it() -> None:
    found = taken_apart("rediss+sentinel://h/mymaster?ssl_ca_certs=/ca.pem")
    assert found.plain.startswith("rediss://")
    assert parse_url(found.plain)["ssl_ca_certs"] == "/ca.pem"  # type: ignore[typeddict-item]
    assert found.sentinels == (("h", 26379),)
