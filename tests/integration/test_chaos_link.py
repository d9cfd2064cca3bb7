"""tests.chaos.link: what a connection does while it is harmed, and when it has healed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.processes.free_ports import unused_port
from tests.chaos.link import Link, to_port


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest_asyncio.fixture
async def link() -> AsyncIterator[Link]:
    """One that leads to a server which answers with what it is sent."""
    async with await asyncio.start_server(_echo, "127.0.0.1", 0) as server:
        far = server.sockets[0].getsockname()[1]
        async with Link(to_port(far)).served(unused_port()) as made:
            yield made


class Caller:
    """A connection through a link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def says(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hears(self, seconds: float = 5.0) -> bytes:
        async with asyncio.timeout(seconds):
            return await self._reader.read(100)


async def connected(link: Link) -> Caller:
    return Caller(*await asyncio.open_connection("127.0.0.1", link.port))


async def test_it_leads_there_and_back_until_one_side_ends(link: Link) -> None:
    caller = await connected(link)
    await caller.says(b"one")
    assert await caller.hears() == b"one"
    caller._writer.write_eof()
    assert await caller.hears() == b""


async def test_a_cut_resets_what_is_there_and_what_comes(link: Link) -> None:
    caller = await connected(link)
    await caller.says(b"one")
    await caller.hears()
    link.cut()
    with pytest.raises(ConnectionError):
        await caller.hears()
    other = await connected(link)
    with pytest.raises(ConnectionError):
        await other.hears()
    link.heal()
    healed = await connected(link)
    await healed.says(b"two")
    assert await healed.hears() == b"two"


async def test_what_was_held_arrives_when_it_has_healed(link: Link) -> None:
    caller = await connected(link)
    link.hold()
    await caller.says(b"one")
    with pytest.raises(TimeoutError):
        await caller.hears(0.1)
    link.heal()
    assert await caller.hears() == b"one"


async def test_what_is_delayed_arrives_later(link: Link) -> None:
    caller = await connected(link)
    link.delay(0.1)
    began = time.monotonic()
    await caller.says(b"one")
    assert await caller.hears() == b"one"
    assert time.monotonic() - began >= 0.2  # there and back
