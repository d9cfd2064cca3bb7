"""REDIS_URL, taken apart as far as redis-py does not do it itself. Pure.

    redis://, rediss:// and unix:// are redis-py's own: see its `from_url`
    redis+sentinel://[[user]:password@]host[:26379][,host…]/SERVICE[/DATABASE][?option=…]

User, password and options of the second are the service's, as redis-py takes them; those of the
Sentinels are the options `sentinel_username` and `sentinel_password`. `rediss+sentinel://` speaks
TLS to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

SENTINEL_PORT = 26379
_PLAIN = ("redis", "rediss", "unix")
_WATCHED = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
_TAKEN = "redis://, rediss://, unix:// or redis+sentinel://"
_ENCODED = "a user or password is written with %40 for @, %2F for /, %3A for :, %23 for #"
_LOGIN = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class RedisUrl:
    """Where Redis is.

    `plain`: the URL for redis-py; what a Sentinel names takes the place of its host and port, if
    there are `sentinels`, host and port each, which watch it under the name of `service`.
    """

    plain: str
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = None


def taken_apart(url: str) -> RedisUrl:
    """Raises ValueError that says what must be otherwise, without a word of the URL."""
    scheme = url.partition("://")[0].lower()
    if "cluster" in scheme:
        raise ValueError(
            "names a Redis Cluster, whose keys lie on several servers: the queue needs one that "
            f"holds them all, or one that Sentinels watch ({_TAKEN})"
        )
    if scheme not in (*_PLAIN, *_WATCHED):
        raise ValueError(f"must begin with {_TAKEN}")
    found = _plain(url) if scheme in _PLAIN else _watched(url)
    if found is None:
        raise ValueError(f"can't be read: {_ENCODED}")
    return found


def _plain(url: str) -> RedisUrl | None:
    """None if a / or # in a password has ended the host."""
    try:
        parts = urlsplit(url)
        is_socket = parts.scheme == "unix"
        _ = None if is_socket else parts.port
    except ValueError:
        return None
    return None if parts.fragment or ("@" in parts.path and not is_socket) else RedisUrl(url)


def _watched(url: str) -> RedisUrl | None:
    # urlsplit takes no list of hosts with one of IPv6 among them
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    netloc, _, path = rest.partition("/")
    if "#" in url or "@" in path:
        return None
    login, at, hosts = netloc.rpartition("@")
    service, _, database = path.strip("/").partition("/")
    if not hosts or not service or service.isdecimal() or not (database or "0").isdecimal():
        raise ValueError(
            "must be redis+sentinel://[user:password@]host:26379[,host:26379]/SERVICE[/DATABASE], "
            "with the name under which the Sentinels watch the server as SERVICE"
        )
    options = dict(parse_qsl(query))
    username, password = (options.pop(name, None) for name in _LOGIN)
    place = f"{login}{at}{quote(unquote(service), safe='')}"
    plain = urlunsplit((_WATCHED[scheme.lower()], place, database, urlencode(options), ""))
    sentinels = tuple(_place(host) for host in hosts.split(","))
    return RedisUrl(plain, sentinels, unquote(service), username, password)


def _place(text: str) -> tuple[str, int]:
    try:
        place = urlsplit(f"//{text}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host:
        raise ValueError("names a Sentinel without a host, or with a port that is none")
    return host, port or SENTINEL_PORT
