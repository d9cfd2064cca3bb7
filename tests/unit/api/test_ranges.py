"""Bytes over HTTP: which of them, whether at all, and what becomes of what was opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from app.api import problems
from app.api.byte_streams import from_thread
from app.api.ranges import RangeNotSatisfiable, Representation, answer, wanted
from app.storage.open_file import BLOCK_BYTES, open_file

CONTENT = bytes(range(256)) * 4
MODIFIED = datetime(2026, 11, 3, 10, 0, 0, 500_000, UTC)
SERVED = Representation(
    len(CONTENT), '"v1"', "video/mp4", MODIFIED, {"Content-Disposition": "inline"}
)


class Opened:
    """What a test serves; counts its closings."""

    def __init__(self) -> None:
        self.closed = 0

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        for begin in range(start, end, 100):
            yield CONTENT[begin : min(begin + 100, end)]

    async def close(self) -> None:
        self.closed += 1


def serving(opened: Opened) -> httpx.AsyncClient:
    async def endpoint(request: Request) -> Response:
        return await answer(request, SERVED, opened.read, opened.close)

    app = Starlette(routes=[Route("/", endpoint)], exception_handlers=problems.HANDLERS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def ask(method: str = "GET", **headers: str) -> httpx.Response:
    opened = Opened()
    async with serving(opened) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = await client.request(method, "/", headers=named)
    assert opened.closed == 1
    return found


async def test_without_a_range_all_is_sent() -> None:
    found = await ask()
    assert found.status_code == 200
    assert found.content == CONTENT
    assert found.headers["Content-Length"] == "1024"
    assert found.headers["ETag"] == '"v1"'
    assert found.headers["Accept-Ranges"] == "bytes"
    assert found.headers["Last-Modified"] == "Tue, 03 Nov 2026 10:00:00 GMT"
    assert found.headers["Content-Disposition"] == "inline"
    assert found.headers["Content-Type"] == "video/mp4"


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1024),
        ("bytes=1000-1003", 1000, 1004),
        ("bytes=1000-5000", 1000, 1024),
        ("bytes=-1", 1023, 1024),
        ("bytes=-5000", 0, 1024),
        ("BYTES=5-6", 5, 7),
        ("bytes=0-99999999999999999999999999", 0, 1024),
    ],
)
async def test_one_range_is_answered_with_its_bytes(header: str, start: int, end: int) -> None:
    found = await ask(range=header)
    assert found.status_code == 206
    assert found.content == CONTENT[start:end]
    assert found.headers["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert found.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize(
    "header", ["bytes=", "bytes=-", "bytes=5-4", "items=0-1", "bytes=a-b", "bytes=0-1,5-6", "0-1"]
)
async def test_what_is_not_one_range_is_answered_whole(header: str) -> None:
    found = await ask(range=header)
    assert found.status_code == 200
    assert found.content == CONTENT


@pytest.mark.parametrize(
    "header", ["bytes=1024-", "bytes=1024-2000", "bytes=-0", "bytes=99999999999999999999999-"]
)
async def test_a_range_behind_the_end_is_told_the_size(header: str) -> None:
    found = await ask(range=header)
    assert found.status_code == 416
    assert found.headers["Content-Range"] == "bytes */1024"
    assert found.json()["type"] == "range-not-satisfiable"


async def test_head_tells_what_get_would_send() -> None:
    found = await ask("HEAD", range="bytes=10-19")
    assert found.status_code == 206
    assert found.content == b""
    assert found.headers["Content-Length"] == "10"
    assert (await ask("HEAD")).headers["Content-Length"] == "1024"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('"v1"', 206),
        ('"v0"', 200),
        ('W/"v1"', 200),
        ("Tue, 03 Nov 2026 10:00:00 GMT", 206),
        ("Tue, 03 Nov 2026 09:59:59 GMT", 200),
        ("yesterday", 200),
        ("", 200),
    ],
)
async def test_a_range_holds_only_while_if_range_is_true(condition: str, status: int) -> None:
    assert (await ask(range="bytes=0-1", if_range=condition)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": '"v1"'}, 304),
        ({"if_none_match": 'W/"v1"'}, 304),
        ({"if_none_match": '"a", "v1"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"a",W/"v1"'}, 304),
        ({"if_none_match": '"a""v1"'}, 200),
        ({"if_none_match": '"v0"'}, 200),
        ({"if_modified_since": "Tue, 03 Nov 2026 10:00:00 GMT"}, 304),
        ({"if_modified_since": "Tue, 03 Nov 2026 09:00:00 GMT"}, 200),
        ({"if_modified_since": "never"}, 200),
        ({"if_none_match": '"v0"', "if_modified_since": "Tue, 03 Nov 2026 10:00:00 GMT"}, 200),
        ({"if_match": '"v1"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"a", "v1"'}, 200),
        ({"if_match": '"a""v1"'}, 412),
        ({"if_match": '"v0"'}, 412),
        ({"if_match": 'W/"v1"'}, 412),
    ],
)
async def test_conditions_decide_before_ranges_do(headers: dict[str, str], status: int) -> None:
    found = await ask(**headers)
    assert found.status_code == status
    if status != 200:
        assert found.content == b"" or found.json()["type"] == "precondition-failed"
        assert found.headers["ETag"] == '"v1"'


@given(st.text(max_size=40), st.integers(0, 10**12))
def test_no_header_text_breaks_the_parser(text: str, size: int) -> None:
    try:
        span = wanted("bytes=" + text, size)
    except RangeNotSatisfiable:
        return
    assert span is None or 0 <= span[0] < span[1] <= size


async def test_a_client_that_goes_away_ends_the_reading() -> None:
    """uvicorn swallows what is sent to a closed connection, so only receive() tells of it."""
    opened = Opened()
    endless = Representation(10**15, '"v1"', "video/mp4")
    sent: list[Message] = []
    going = asyncio.Event()

    async def forever(start: int, end: int) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"x"

    async def receive() -> Message:
        await going.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 5:
            going.set()

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
    response = await answer(Request(scope), endless, forever, opened.close)
    async with asyncio.timeout(10):
        await response(scope, receive, send)
    assert opened.closed == 1


async def test_a_file_is_sent_whole_though_it_is_deleted_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    content = CONTENT * (2 * BLOCK_BYTES // len(CONTENT)) + b"end"
    path.write_bytes(content)
    opened = await open_file(path)
    path.unlink()
    assert opened.size_bytes == len(content)
    assert b"".join([block async for block in opened.read(0, opened.size_bytes)]) == content
    assert b"".join([block async for block in opened.read(5, 10)]) == content[5:10]
    await opened.close()


async def test_a_file_that_is_cut_short_is_an_error_not_an_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    opened = await open_file(path)
    path.write_bytes(b"")
    with pytest.raises(EOFError):
        _ = [block async for block in opened.read(0, opened.size_bytes)]
    await opened.close()


async def test_a_generator_is_closed_when_its_reader_stops() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def blocks() -> Generator[bytes, None, None]:
        try:
            yield b"a"
            yield b"b"
        finally:
            loop.call_soon_threadsafe(ended.set)

    stream = from_thread(blocks())
    assert await anext(stream) == b"a"
    await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        await ended.wait()
