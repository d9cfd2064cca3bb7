"""A LiveKit that does not end its answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from app.recording.bounded_answer import ANSWER_BYTES
from app.recording.livekit import AnswerTooLong, LiveKit
from tests.integration.conftest import MakeSettings

BLOCK = bytes(2**20)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\nConnection: close\r\n\r\n"


async def test_no_answer_of_livekits_fills_the_memory(make_settings: MakeSettings) -> None:
    """One of three times what is read at most: it is given up, and its rest is not taken."""
    taken_bytes = 0
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken_bytes
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        with suppress(ConnectionError):
            for _ in range(3 * ANSWER_BYTES // len(BLOCK)):
                writer.write(BLOCK)
                await writer.drain()
                taken_bytes += len(BLOCK)
        writer.close()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        livekit = LiveKit(make_settings(livekit_url=f"ws://127.0.0.1:{port}"))
        with pytest.raises(AnswerTooLong, match="more than"):
            await livekit.rooms()
        await livekit.close()
        await asyncio.wait_for(ended.wait(), 30)
    assert ANSWER_BYTES < taken_bytes < 2 * ANSWER_BYTES
