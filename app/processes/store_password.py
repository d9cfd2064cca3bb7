"""The password of the embedded MongoDB-wire store: made once, kept where only we can read it."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

USER = "replay"
_ROLE = "root"
_ALREADY_EXISTS = 51003


def password_of(path: Path) -> str:
    """The password in a file; of a file that is not there yet a fresh one, which it then holds.

    Called by the one process that holds the lock of DATA_DIR.
    """
    with suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
    fresh = secrets.token_hex(32)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return fresh


async def make_user(url: str, password: str) -> None:
    """Makes our user the only one of a store that asks nobody for a password now.

    Done again it changes nothing. Raises PyMongoError.
    """
    async with _client(url) as client:
        admin = client["admin"]
        try:
            await admin.command("createUser", USER, pwd=password, roles=[_ROLE])
        except OperationFailure as error:
            if error.code != _ALREADY_EXISTS:
                raise
            await admin.command("updateUser", USER, pwd=password, roles=[_ROLE])
        await _drop_strangers(client)


async def strangers(url: str) -> list[str]:
    """The users that are not ours of a store, by name; they are dropped. Raises PyMongoError."""
    async with _client(url) as client:
        return await _drop_strangers(client)


async def drop_rows(url: str) -> list[str]:
    """The collections of a store, by database and name; they are dropped. Raises PyMongoError.

    Those of the system, which hold the users, stay, and `local`, which nobody can write to.
    """
    dropped = []
    async with _client(url) as client:
        for name in set(await client.list_database_names()) - {"local"}:
            for collection in await client[name].list_collection_names():
                if not collection.startswith("system."):
                    await client[name].drop_collection(collection)
                    dropped.append(f"{name}.{collection}")
    return dropped


def _client(url: str) -> AsyncMongoClient[dict[str, object]]:
    return AsyncMongoClient(url, serverSelectionTimeoutMS=5000)


async def _drop_strangers(client: AsyncMongoClient[dict[str, object]]) -> list[str]:
    dropped = []
    # usersInfo with forAllDBs lists none in SecantusDB 0.7.0b3
    async for user in client["admin"]["system.users"].find({}):
        if (user["user"], user["db"]) != (USER, "admin"):
            await client[str(user["db"])].command("dropUser", user["user"])
            dropped.append(f"{user['db']}.{user['user']}")
    return dropped
