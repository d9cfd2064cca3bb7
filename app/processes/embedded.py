"""Embedded stores under DATA_DIR: SecantusDB for MONGO_URL, Valkey for REDIS_URL.

Both are programs of the extra `embedded`, run as processes of their own. What they acknowledged
survives a kill: SecantusDB syncs its log on every commit, Valkey has written its append-only file
before it answers and syncs it every second.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import hmac
import os
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import redis.asyncio
import redis.exceptions
from pymongo.errors import PyMongoError

from app.errors import ConfigurationError
from app.processes import program_logs
from app.processes.child import Child
from app.processes.free_ports import choose_ports, remembered_ports, unused_port
from app.processes.listeners import owners_of
from app.processes.store_password import drop_rows, make_user, password_of, strangers
from app.processes.store_programs import PASSWORD_FILE, SOCKET, STORES
from app.work.troubles import Troubles

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
WAKE_SECONDS = 0.2
FRUITLESS_STARTS = 5
DYING_SECONDS = 30.0
"""How long the stores of a service that was just killed may take to let go of the lock."""
_USER_MADE = "user-made"
"""In the database's folder, so that it goes with it: the hash of the password it knows."""
_NEW = "new"
"""In the folder of a database that was made while anybody could write into it, until that was
looked for."""


@asynccontextmanager
async def embedded_stores(
    data_dir: Path,
    settings: Collection[str] = tuple(STORES),
    troubles: Troubles | None = None,
) -> AsyncIterator[dict[str, str]]:
    """Runs a store for each of `settings`; yields the URLs by setting when all answer.

    A store that dies is started again on its port; of one that does so again and again `troubles`
    tell. They end, in their own time, at exit.

    Raises ConfigurationError if another service uses `data_dir`, if the extra is not installed,
    or if a store doesn't start.
    """
    commands = {setting: _command(setting) for setting in settings}
    _make_folders(data_dir, settings)
    lock = await _lock(data_dir)
    children: dict[str, Child] = {}
    try:
        ports = choose_ports(
            [setting for setting in settings if STORES[setting].has_port], data_dir / "ports.json"
        )
        urls = {name: STORES[name].url(data_dir, ports.get(name, 0)) for name in settings}
        if "MONGO_URL" in settings:
            await _provide_user(commands["MONGO_URL"], data_dir, lock)
        for setting, command in commands.items():
            # The store inherits the lock: it is held until the last that may write has ended.
            child = Child(
                STORES[setting].name,
                [*command, *_port(ports.get(setting)), *STORES[setting].options],
                cwd=data_dir / STORES[setting].name,
                log_path=_log_path(setting, data_dir),
                pass_fds=[lock],
                troubles=troubles,
            )
            children[setting] = child
            child.start()
        await asyncio.gather(
            *(
                _wait_until_ready(setting, urls[setting], child, data_dir)
                for setting, child in children.items()
            )
        )
        if "MONGO_URL" in settings:
            await _check_users(urls["MONGO_URL"])
            await _check_rows(urls["MONGO_URL"], data_dir / STORES["MONGO_URL"].name / _NEW)
        bounding = asyncio.create_task(
            program_logs.keep_bounded([_log_path(setting, data_dir) for setting in settings])
        )
        try:
            yield urls
        finally:
            bounding.cancel()
    finally:
        await asyncio.gather(*(_end(child, ports.get(name)) for name, child in children.items()))
        os.close(lock)


def _port(port: int | None) -> list[str]:
    return [] if port is None else ["--port", str(port)]


async def _provide_user(command: list[str], data_dir: Path, lock: int) -> None:
    """Makes our user in a database that has none yet, or another password for it.

    SecantusDB takes users only from a connection, and with --auth only from a known user's: it
    runs once without, on a port that nobody was told, and any other user goes again.
    """
    store, made = STORES["MONGO_URL"], data_dir / "mongo" / _USER_MADE
    password = password_of(data_dir / PASSWORD_FILE)
    fingerprint = hashlib.sha256(password.encode()).hexdigest()
    with suppress(FileNotFoundError):
        if hmac.compare_digest(made.read_text(), fingerprint):
            return
    folder = data_dir / store.name
    if not any(folder.iterdir()):
        (folder / _NEW).touch()
    port = unused_port()
    options = [option for option in store.options if option != "--auth"]
    child = Child(
        store.name,
        [*command, *_port(port), *options],
        cwd=data_dir / store.name,
        log_path=_log_path("MONGO_URL", data_dir),
        pass_fds=[lock],
    )
    child.start()
    try:
        url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        await _wait_until_ready("MONGO_URL", url, child, data_dir)
        _check_owner(port)
        await make_user(url, password)
        await child.kill()  # in its own time it takes 0.3 s, and what it acknowledged is on disk
    finally:
        await _end(child, port)
    made.write_text(fingerprint)


def _check_owner(port: int) -> None:
    """Raises ConfigurationError if somebody else's program listens there, and ours can't.

    It would be told the password: whoever sees our command line knows the port before us.
    """
    if others := owners_of(port) - {os.getuid()}:
        raise ConfigurationError(
            f"a program of user {', '.join(map(str, sorted(others)))} took the embedded database's "
            f"port {port} while it was set up: find out who it was, then start again, or run a "
            "MongoDB of your own and set MONGO_URL"
        )


async def _check_users(url: str) -> None:
    """Raises ConfigurationError if the database, which asks for passwords now, knows others too.

    While `_provide_user` runs anybody on this machine may make one, and as fast as it drops them.
    Those found now are dropped, and nothing is served to whoever has logged in meanwhile.
    """
    if found := await strangers(url):
        raise _tampered("made users in", found)


async def _check_rows(url: str, new: Path) -> None:
    """Raises ConfigurationError if there are rows already in a database that is `new`.

    They are somebody else's, and are dropped. The database is new until none were found.
    """
    if not new.exists():
        return
    if found := await drop_rows(url):
        raise _tampered("written into", found)
    new.unlink()


def _tampered(how: str, found: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"somebody else on this machine has {how} the embedded database while it was set up: "
        f"{', '.join(found)[:200]}. They are dropped: find out who it was, then start again, or "
        "run a MongoDB of your own and set MONGO_URL"
    )


async def _end(child: Child, port: int | None) -> None:
    """Ends a store in its own time; `port`: the one that it listens on, if it does.

    SecantusDB (0.7.0b3, server.py) gives its listening thread 2 s to end, and only a connection
    wakes it. Not at once: a thread that answers takes the signal away from the main one, which
    then sleeps on.
    """
    ending = asyncio.create_task(child.stop(STOP_SECONDS))
    while port and not (await asyncio.wait({ending}, timeout=WAKE_SECONDS))[0]:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
    await ending


def running_stores(data_dir: Path) -> dict[str, str]:
    """The URLs by setting of the stores that a service runs under `data_dir` now; else empty."""
    try:
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        ports = remembered_ports(data_dir / "ports.json")
        return {
            name: store.url(data_dir, ports.get(name, 0))
            for name, store in STORES.items()
            if name in ports or (not store.has_port and (data_dir / store.name / SOCKET).exists())
        }
    finally:
        os.close(descriptor)
    return {}


def _command(setting: str) -> list[str]:
    store = STORES[setting]
    command = store.find()
    if command is None:
        raise ConfigurationError(
            f"{setting} is missing and its embedded store is not installed: either set {setting} "
            f"to {store.instead}, or `pip install 'replay-buffer[embedded]'`"
        )
    return command


def _make_folders(data_dir: Path, settings: Collection[str]) -> None:
    try:
        for name in ("log", *(STORES[setting].name for setting in settings)):
            (data_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for setting in settings:
            program_logs.bound(_log_path(setting, data_dir))
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR={str(data_dir)!r}: {error.strerror}: {error.filename}"
        ) from error


def _log_path(setting: str, data_dir: Path) -> Path:
    return data_dir / "log" / f"{STORES[setting].name}.log"


async def _lock(data_dir: Path) -> int:
    """An open descriptor that holds the lock of `data_dir`, with our process id in its file."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + DYING_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            if _is_running(holder) or time.monotonic() > deadline:
                os.close(descriptor)
                raise ConfigurationError(
                    f"DATA_DIR={str(data_dir)!r} is in use by the service with process id "
                    f"{holder or 'unknown'}: end that one, or give this one another DATA_DIR"
                ) from None
            await asyncio.sleep(0.05)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _is_running(pid: str) -> bool:
    return pid.isdecimal() and Path("/proc", pid).exists()


async def _wait_until_ready(setting: str, url: str, child: Child, data_dir: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            await STORES[setting].ping(url)
            return
        except (PyMongoError, redis.exceptions.RedisError, OSError) as error:
            if child.exits >= FRUITLESS_STARTS or time.monotonic() > deadline:
                log_path = _log_path(setting, data_dir)
                tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-10:])
                raise ConfigurationError(
                    f"{setting} is missing and the embedded store {child.name} does not start "
                    f"({child.exits} tries, {error}). {log_path} ends with:\n{tail}"
                ) from error
        await asyncio.sleep(0.05)
