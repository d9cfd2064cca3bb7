"""A server for EVENTS_URL: notes what it is told, and finds numbers that never came."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class EventReceiver:
    """`told[room][number]` are the ids of the events that came under this number."""

    def __init__(self) -> None:
        self.told: dict[str, dict[int, set[str]]] = {}

    def note(self, event: Mapping[str, Any]) -> None:
        numbers = self.told.setdefault(event["room"]["name"], {})
        numbers.setdefault(event["replay"]["number"], set()).add(event["id"])

    @property
    def count(self) -> int:
        return sum(map(len, self.told.values()))

    def faults(self, newest: Mapping[str, int]) -> list[str]:
        """What is wrong with what came; `newest`: the newest number of each room."""
        found = []
        for room, number in newest.items():
            numbers = self.told.get(room, {})
            if missing := sorted(set(range(1, number + 1)) - numbers.keys()):
                found.append(f"events {missing} of room {room!r} never came")
            found += [
                f"event {each} of room {room!r} stands for {', '.join(sorted(ids))}"
                for each, ids in numbers.items()
                if len(ids) > 1
            ]
        return found

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Runs it; yields its port on 127.0.0.1."""
        async with await asyncio.start_server(self._take, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            self.note(json.loads(body))
            writer.write(OK)
            await writer.drain()
        writer.close()
