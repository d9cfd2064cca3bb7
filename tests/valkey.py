"""A Valkey of a test's own: with other options than the tests' own has, stopped, or ended.

Its program is the one of the extra `embedded`, which is Sentinel, too. It speaks no TLS.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.processes.free_ports import unused_port
from app.processes.store_programs import STORES
from tests.waiting import PATIENCE_SECONDS, wait_for

HOST = "127.0.0.1"


class Valkey:
    """A running server; `login` is `user:password@`, as a URL has it, or nothing."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, login: str) -> None:
        self.process, self.port = process, port
        self.url = f"redis://{login}{HOST}:{port}/0"

    def client(self) -> Redis:
        """A client of redis-py's own: `async with valkey.client() as redis`."""
        client: Redis = Redis.from_url(self.url)
        return client

    async def answers(self) -> bool:
        assert self.process.returncode is None
        async with self.client() as redis:
            try:
                return bool(await redis.ping())
            except (RedisError, OSError):
                return False

    def stop(self) -> None:
        """It answers nothing any more; its connections stand."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


@asynccontextmanager
async def valkey(folder: Path, *options: str, login: str = "") -> AsyncIterator[Valkey]:
    """Runs one in a folder until the block ends; `options` as on its command line."""
    folder.mkdir(parents=True, exist_ok=True)
    command = STORES["REDIS_URL"].find()
    assert command is not None
    port = unused_port()
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            *options,
            *("--port", str(port), "--bind", HOST, "--dir", str(folder), "--save", ""),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    found = Valkey(process, port, login)
    try:
        await wait_for(found.answers, what=f"Valkey answers; see {folder}/log")
        yield found
    finally:
        await found.kill()


@asynccontextmanager
async def sentinel(
    folder: Path, watched: Valkey, service: str, password: str = ""
) -> AsyncIterator[Valkey]:
    """Runs a Sentinel that alone decides when `watched` is gone, which it finds after a second.

    `password`: of `watched`.
    """
    folder.mkdir(parents=True)
    file = folder / "sentinel.conf"
    file.write_text(
        f"sentinel monitor {service} {HOST} {watched.port} 1\n"
        f"sentinel down-after-milliseconds {service} 1000\n"
        f"sentinel failover-timeout {service} 5000\n"
        + (f"sentinel auth-pass {service} {password}\n" if password else "")
    )
    async with valkey(folder, str(file), "--sentinel") as found:
        yield found
