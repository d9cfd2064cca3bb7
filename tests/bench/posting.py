"""POST over connections that stay open, with next to no work of our own between the measured ends.

httpx takes some 3 ms of CPU a request; livekit-server, for which this stands, some 0.1 ms.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

from tests.bench.signing import PATH, Signed

_TIMEOUT_SECONDS = 60


class Poster:
    """Sends webhooks to an API, over as many connections as are needed at once."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, event: Signed) -> None:
        """Returns when the answer is there. RuntimeError if it is not 200."""
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await self._connection()
            writer.write(self._request(event))
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
        status = int(head.split(b" ", 2)[1])
        if status != HTTPStatus.OK:
            raise RuntimeError(f"a webhook was answered {status}: {body[:500]!r}")
        self._idle.append((reader, writer))

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():  # the API closes what was idle for long
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def _request(self, event: Signed) -> bytes:
        headers = {"Host": f"{self._host}:{self._port}", "Content-Length": str(len(event.body))}
        lines = [f"{name}: {value}\r\n" for name, value in (headers | event.headers).items()]
        return f"POST {PATH} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + event.body


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError(f"an answer without Content-Length: {head!r}")
