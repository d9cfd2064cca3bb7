"""What stands between the service and its database: it passes questions on, or answers them itself.

A database that refuses or fails is made of a whole one by this. It speaks as much of MongoDB's wire
protocol as it takes to answer a command (OP_MSG) with an error.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import bson

from app.processes.free_ports import unused_port

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_FLAGS_AND_KIND = 5
WRITES = frozenset({"insert", "update", "delete", "findAndModify", "createIndexes"})
_OF_CONNECTIONS = frozenset(
    {"hello", "ismaster", "saslStart", "saslContinue", "ping", "endSessions"}
)


class MongoFront:
    """An address of this machine before the database at `url`."""

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self.port = unused_port()
        self.url = urlunsplit(
            self._far._replace(
                netloc=f"{self._far.netloc.rpartition('@')[0]}@127.0.0.1:{self.port}"
                if "@" in self._far.netloc
                else f"127.0.0.1:{self.port}"
            )
        )
        self.refused = 0
        self._error: bytes | None = None
        self._of = frozenset[str]()
        self._ids = itertools.count(1)
        self._serving: set[asyncio.Task[None]] = set()

    def refuse(self, code: int, name: str, message: str, commands: frozenset[str] = WRITES) -> None:
        """Those commands are answered with this error; an empty set is all of them."""
        self._of = commands
        self._error = bson.encode({"ok": 0.0, "code": code, "codeName": name, "errmsg": message})

    def heal(self) -> None:
        """Everything is passed on again."""
        self._error = None

    @asynccontextmanager
    async def served(self) -> AsyncIterator[MongoFront]:
        """Serves until the block ends."""
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        far_reader, far_writer = await asyncio.open_connection(self._far.hostname, self._far.port)
        back = asyncio.create_task(_pass_on(far_reader, writer))
        try:
            while True:
                header = await reader.readexactly(_HEADER.size)
                length, number, _, kind = _HEADER.unpack(header)
                body = await reader.readexactly(length - _HEADER.size)
                if kind == _OP_MSG and self._error is not None and self._refuses(body):
                    self.refused += 1
                    answer = bytes(_FLAGS_AND_KIND) + self._error
                    size = _HEADER.size + len(answer)
                    writer.write(_HEADER.pack(size, next(self._ids), number, _OP_MSG) + answer)
                    await writer.drain()
                else:
                    far_writer.write(header + body)
                    await far_writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of both sides has gone
        finally:
            back.cancel()
            writer.close()
            far_writer.close()
            self._serving.discard(task)

    def _refuses(self, body: bytes) -> bool:
        (size,) = struct.unpack_from("<i", body, _FLAGS_AND_KIND)
        command = next(iter(bson.decode(body[_FLAGS_AND_KIND : _FLAGS_AND_KIND + size])))
        return command in self._of if self._of else command not in _OF_CONNECTIONS


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
    writer.close()
