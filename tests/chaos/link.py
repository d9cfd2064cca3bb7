"""A connection between two programs that can be cut, held up or delayed: a TCP proxy."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
_BYTES = 64 * 1024


class Link:
    """Leads whoever connects to `port` of 127.0.0.1 on to another program.

    `connect` opens a connection to that one.
    """

    def __init__(self, connect: Connect) -> None:
        self.port = 0
        self._connect = connect
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._delay_seconds = 0.0
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def served(self, port: int, tls: SSLContext | None = None) -> AsyncIterator[Link]:
        """Serves on a port until the block ends; with `tls`, to those who speak that."""
        self.port = port
        server = await asyncio.start_server(self._lead, "127.0.0.1", port, ssl=tls)
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def lead_to(self, connect: Connect) -> None:
        """Leads those who connect from now on elsewhere."""
        self._connect = connect

    def cut(self) -> None:
        """Resets every connection, new ones too."""
        self._is_cut = True
        for writer in self._writers:
            _reset(writer)

    def hold(self) -> None:
        """Nothing arrives any more; connections stand."""
        self._flows.clear()

    def delay(self, seconds: float) -> None:
        """Whatever is sent arrives so much later."""
        self._delay_seconds = seconds

    def heal(self) -> None:
        """What was held arrives."""
        self._is_cut = False
        self._delay_seconds = 0.0
        self._flows.set()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._is_cut:
                return
            await self._flows.wait()
            with suppress(OSError):  # whoever is to be reached is away
                far_reader, far_writer = await self._connect()
                self._writers.add(far_writer)
                try:
                    await asyncio.gather(
                        self._pass_on(reader, far_writer), self._pass_on(far_reader, writer)
                    )
                finally:
                    self._end(far_writer)
        finally:
            self._end(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on what one side sends, until it sends no more or one of them is gone."""
        with suppress(ConnectionError):
            while data := await reader.read(_BYTES):
                await self._flows.wait()
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():  # TLS has no end of one direction
                writer.write_eof()
            else:
                writer.close()
            return
        _reset(writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        if self._is_cut:
            _reset(writer)
        else:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection as if the other side's machine had been started anew."""
    if not writer.transport.is_closing():
        with suppress(OSError):  # a Unix socket has nothing to reset
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def to_port(port: int) -> Connect:
    """Connects to a port of 127.0.0.1."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_socket(path: str) -> Connect:
    """Connects to a Unix socket."""
    return lambda: asyncio.open_unix_connection(path)
