"""What stands between the service and an object store: it passes requests on, or answers itself.

A store that refuses, is overloaded, hangs, goes away or lies is made of a whole one by this. It
sees each request's first line, so that what is asked of the store can be counted, too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from app.processes.free_ports import unused_port

_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_BYTES = 64 * 1024


class ObjectFront:
    """An address of this machine before the store at `endpoint`, one request a connection."""

    def __init__(self, endpoint: str) -> None:
        self.port = 0
        self.settings: dict[str, str] = {}
        """Of a service that reaches the store by it, if a test says so."""
        self.seen: list[str] = []
        """The first line of each request, without its version."""
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        """Called when a request has come, and when the store has answered it."""
        self._far = urlsplit(endpoint)
        self.sent_bytes = 0
        self.answered_bytes = 0
        """Of bodies that were passed on to the store, and of its answers."""
        self.told_bytes = 0
        """Of answers that a test tells, how much whoever asked has taken, or waits in sockets."""
        self._answers: list[tuple[re.Pattern[str], Iterable[bytes]]] = []
        self._held: re.Pattern[str] | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def served(self) -> AsyncIterator[ObjectFront]:
        """Serves until the block ends."""
        self.port = unused_port()
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def answer(self, lines: str, status: int, code: str) -> None:
        """Requests whose first line has this pattern in it are answered so, as S3 does."""
        body = f"<Error><Code>{code}</Code><Message>told by a test</Message></Error>".encode()
        head = (
            f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode()
        self.tell(lines, [head + body])

    def tell(self, lines: str, blocks: Iterable[bytes]) -> None:
        """Those requests are answered with these bytes, of headers too, as fast as they are read.

        Where there are no more of them the connection is closed.
        """
        self._answers.append((re.compile(lines), blocks))

    def hold(self, lines: str = "") -> None:
        """Those requests wait until it heals; their connections stand."""
        self._held = re.compile(lines)
        self._flows.clear()

    def cut(self) -> None:
        """Whoever connects is told that nobody is there."""
        self._is_cut = True

    def heal(self) -> None:
        """Everything is passed on again."""
        self._answers.clear()
        self._is_cut = False
        self._held = None
        self._flows.set()
        self.before = self.after = lambda: None

    def count(self, lines: str) -> int:
        """How many requests there were with this pattern in their first line."""
        return sum(bool(re.search(lines, line)) for line in self.seen)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            if self._is_cut:
                writer.transport.abort()
            else:
                await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of both sides has gone
        finally:
            writer.close()
            self._serving.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n", 1)[0].decode().rpartition(" ")[0]
        self.seen.append(line)
        self.before()
        if self._held is not None and self._held.search(line):
            await self._flows.wait()
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        for lines, blocks in self._answers:
            if lines.search(line):
                await self._read_over(reader, length)
                for block in blocks:
                    writer.write(block)
                    await writer.drain()
                    self.told_bytes += len(block)
                return
        far_reader, far_writer = await asyncio.open_connection(self._far.hostname, self._far.port)
        try:
            # One request a connection. No signature covers this header.
            far_writer.write(head[:-2] + b"Connection: close\r\n\r\n")
            while length:
                block = await reader.readexactly(min(length, _BYTES))
                length -= len(block)
                self.sent_bytes += len(block)
                far_writer.write(block)
                await far_writer.drain()
            told = await far_reader.read(_BYTES)
            self.after()
            while told:
                self.answered_bytes += len(told)
                writer.write(told)
                await writer.drain()
                told = await far_reader.read(_BYTES)
        finally:
            far_writer.close()

    async def _read_over(self, reader: asyncio.StreamReader, length: int) -> None:
        while length:
            length -= len(await reader.readexactly(min(length, _BYTES)))
