"""Connections to Redis, as REDIS_URL says: there are no others in the service.

They differ from redis-py's own in this:

- none waits for an answer longer than ANSWER_SECONDS, unless the URL says so;
- where the URL bounds them, and none is free, one is waited for;
- one that leads to a server which has become a replica is closed, and so are those that lie idle:
  the next look for the server anew, by its name or by asking the Sentinels.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.connection import AbstractConnection, UnixDomainSocketConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, ReadOnlyError, RedisError

from app.errors import ConfigurationError
from app.settings import redis_url
from app.settings.redis_url import RedisUrl

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 4.0
_WAITS: dict[str, Any] = {
    "socket_connect_timeout": CONNECT_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "max_connections": None,
    "timeout": ANSWER_SECONDS,
}
_FIXED: dict[str, Any] = {"decode_responses": False, "encoding": "utf-8", "protocol": 2}
"""What the queue reads answers by, whatever the URL says."""


class _Demotable(AbstractConnection):
    """A connection that notes when its server has become a replica."""

    is_demoted = False

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().read_response(*args, **kwargs)
        except ReadOnlyError:
            self.is_demoted = True
            raise


class _TcpConnection(_Demotable, Connection): ...


class _TlsConnection(_Demotable, SSLConnection): ...


class _SocketConnection(_Demotable, UnixDomainSocketConnection): ...


class _WatchedConnection(SentinelManagedConnection):
    """A connection to whatever server Sentinels name when it is opened."""

    async def connect_to(self, address: tuple[str, int]) -> None:
        # Else redis-py would try this one again and again, and ask no Sentinel meanwhile.
        retry, self.retry = self.retry, Retry(NoBackoff(), 0)
        try:
            await super().connect_to(address)  # type: ignore[no-untyped-call]
        finally:
            self.retry = retry


class _WatchedTlsConnection(_WatchedConnection, SentinelManagedSSLConnection): ...


_KINDS = {
    Connection: _TcpConnection,
    SSLConnection: _TlsConnection,
    UnixDomainSocketConnection: _SocketConnection,
}


class _Pool(BlockingConnectionPool):
    """Connections to a server with an address of its own."""

    async def release(self, connection: AbstractConnection) -> None:
        await super().release(connection)
        if getattr(connection, "is_demoted", False):
            connection.is_demoted = False  # type: ignore[attr-defined]
            await self.disconnect(inuse_connections=False)


class _WatchedPool(BlockingConnectionPool, SentinelConnectionPool):
    """Connections to the server that Sentinels name.

    redis-py itself asks them anew after a server has become a replica.
    """

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for each in self.sentinel_manager.sentinels:
                await each.aclose()


def pool(url: str, **options: Any) -> BlockingConnectionPool:
    """A pool of connections, none of which is open; `options` are those of redis-py's.

    Raises ConfigurationError if redis-py knows no such URL.
    """
    try:
        address = redis_url.taken_apart(url)
        given = options | _WAITS | parse_url(address.plain) | _FIXED
        found = _watched(address, given) if address.sentinels else _plain(given)
        found.make_connection()  # type: ignore[no-untyped-call]
    except (TypeError, ValueError, RedisError) as error:
        raise ConfigurationError(f"REDIS_URL: {error}") from error
    return found


def client(url: str) -> Redis:
    """A client of redis-py's own. Raises ConfigurationError as `pool` does."""
    return Redis.from_pool(pool(url))


async def check(redis: Redis) -> None:
    """Returns when the server answers, and is one that the queue can be in.

    Raises ConfigurationError if it is not, redis.exceptions.RedisError when it does not answer.
    """
    await redis.ping()
    try:
        told = await redis.info()
    except NoPermissionError as error:  # arq asks the same whenever a worker begins
        raise ConfigurationError(
            f"the user of REDIS_URL may not ask INFO, which the queue does: permit it ({error})"
        ) from error
    mode = told.get("server_mode", told.get("redis_mode"))  # Valkey's name for it, Redis's
    if told.get("cluster_enabled") or mode == "cluster":
        raise ConfigurationError(
            "REDIS_URL names a server of a Redis Cluster (cluster_enabled:1), whose keys lie on "
            "several servers: give one that holds them all, or one that Sentinels watch"
        )
    if mode == "sentinel":
        raise ConfigurationError(
            "REDIS_URL names a Sentinel, not a server: begin it with redis+sentinel:// and end it "
            "with the name of the service, /mymaster for example"
        )


def _plain(given: dict[str, Any]) -> BlockingConnectionPool:
    return _Pool(connection_class=_KINDS[given.pop("connection_class", Connection)], **given)


def _watched(address: RedisUrl, given: dict[str, Any]) -> BlockingConnectionPool:
    has_tls = given.pop("connection_class", Connection) is SSLConnection
    shared = {name: each for name, each in given.items() if name.startswith(("socket_", "ssl_"))}
    own = {"username": address.sentinel_username, "password": address.sentinel_password}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        address.sentinels, sentinel_kwargs=shared | own | {"ssl": has_tls}
    )
    del given["host"]  # stands for the service's
    return _WatchedPool(
        connection_class=_WatchedTlsConnection if has_tls else _WatchedConnection,
        service_name=address.service,
        sentinel_manager=sentinel,
        **given,
    )
