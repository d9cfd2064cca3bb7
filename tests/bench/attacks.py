"""What strangers without a token send to a port: as a program, until a time is over.

    python -m tests.bench.attacks idle 127.0.0.1 8000 10

It connects from addresses of loopback of its own, none of which is a trusted proxy, and so many
times from each that the service counts none as having too many.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

LARGE_BYTES = 150 * 2**20
PIECE = b"a" * (1 << 20)
IDLE = 10_000
PER_ADDRESS = 200
SLOW = 400
FORGING = 8
CROWD = 1_000
AHEAD = 40
OPENED_PER_SECOND = 2_000
_FORGED = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiIsImlzcyI6ImJlbmNoa2V5IiwiZXhwIjo0MTAy"
    "NDQ0ODAwfQ.c2lnbmVkIGJ5IG5vYm9keSBhdCBhbGwsIGJ1dCBsb25n"
)


@dataclass(frozen=True)
class Victim:
    """Who is attacked, and until when, in seconds of the monotonic clock."""

    host: str
    port: int
    until: float

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self.until

    @asynccontextmanager
    async def connection(
        self, number: int
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection; so many come from one address, then from the next."""
        reader, writer = await asyncio.open_connection(
            self.host, self.port, local_addr=_address(number)
        )
        try:
            yield reader, writer
        finally:
            writer.close()


async def nothing(victim: Victim) -> None:
    """For comparison."""
    await asyncio.sleep(victim.until - time.monotonic())


async def large_heads(victim: Victim) -> None:
    """One header of 150 MB after another, as far as it is taken."""

    async def one(number: int) -> None:
        async with victim.connection(number) as (_, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
            for _ in range(LARGE_BYTES // len(PIECE)):
                writer.write(PIECE)
                await writer.drain()

    await _each(victim, 4, one)


async def slow_heads(victim: Victim) -> None:
    """Hundreds of heads, a byte at a time."""

    async def one(number: int) -> None:
        async with victim.connection(number) as (_, writer):
            writer.write(b"GET / HTTP/1.1\r\nX-A: ")
            while victim.is_on:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.5)

    await _each(victim, SLOW, one)


async def idle(victim: Victim) -> None:
    """Ten thousand connections that say nothing; one that is closed is opened again."""

    async def one(number: int) -> None:
        async with victim.connection(number) as (reader, _):
            await reader.read(1)

    await _each(victim, IDLE, one)


async def forged_tokens(victim: Victim) -> None:
    """Requests with a token that nobody signed, as fast as they are answered."""
    await _forged(victim, range(0, FORGING * PER_ADDRESS, PER_ADDRESS), "GET /session")


async def crowd(victim: Victim) -> None:
    """The same on a thousand connections."""
    await _forged(victim, range(CROWD), "GET /session")


async def forged_webhooks(victim: Victim) -> None:
    """As many that pretend to be LiveKit's."""
    await _forged(victim, range(CROWD), "POST /webhooks/livekit")


async def unread_answers(victim: Victim) -> None:
    """A thousand connections that ask for much, again and again, and don't read."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * AHEAD

    async def one(number: int) -> None:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            line.setblocking(False)
            line.bind(_address(number))
            await asyncio.get_running_loop().sock_connect(line, (victim.host, victim.port))
            await asyncio.get_running_loop().sock_sendall(line, asked)
            await asyncio.sleep(3)

    await _each(victim, CROWD, one)


async def _forged(victim: Victim, numbers: Sequence[int], request: str) -> None:
    head = f"{request} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_FORGED}\r\n"
    if request.startswith("POST"):
        head += "Content-Length: 0\r\n"

    async def one(number: int) -> None:
        async with victim.connection(numbers[number]) as (reader, writer):
            while victim.is_on:
                writer.write(f"{head}\r\n".encode())
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)

    await _each(victim, len(numbers), one)


def _address(number: int) -> tuple[str, int]:
    """Where a connection comes from, with any port."""
    return f"127.0.1.{1 + number // PER_ADDRESS}", 0


async def _each(victim: Victim, count: int, one: Callable[[int], Awaitable[None]]) -> None:
    """Keeps `count` connections busy until the time is over."""

    async def again(number: int) -> None:
        await asyncio.sleep(number / OPENED_PER_SECOND)
        while victim.is_on:
            with suppress(OSError, EOFError):  # refused or closed: as it should be
                await one(number)
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(again(number)) for number in range(count)]
    _, late = await asyncio.wait(tasks, timeout=victim.until - time.monotonic())
    for task in late:
        task.cancel()
    await asyncio.wait(tasks)


ATTACKS = {
    each.__name__: each
    for each in (
        nothing,
        large_heads,
        slow_heads,
        idle,
        forged_tokens,
        crowd,
        forged_webhooks,
        unread_answers,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attack", choices=ATTACKS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    if not given.host.startswith("127."):
        parser.error(f"{given.host} is not a loopback address: only such are attacked")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    until = time.monotonic() + given.seconds
    with suppress(OSError):
        asyncio.run(ATTACKS[given.attack](Victim(given.host, given.port, until)))


if __name__ == "__main__":
    main()
