"""What a connection may take before anybody knows who calls, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from app import metrics
from app.serving import server
from app.serving.bounds import Bounds
from app.settings import Settings, load
from tests.waiting import PATIENCE_SECONDS, wait_for

USUAL = Bounds()
SHORT = Bounds(head_seconds=0.4, body_seconds=0.6)
READ = Bounds(write_seconds=0.5)
DOWNLOAD = b"a" * 2**20
SLICE = b"a" * 2**14
DOWNLOADS = 32
"""So many of them are more than the buffers of both ends' sockets hold."""
HEAD = b"GET /hello HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Answer:
    status: int
    type: str
    rest: bytes
    head: bytes = b""


class Line:
    """One connection, on which bytes are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        with suppress(ConnectionError):  # refused in between: the answer, or the end, tells
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> Answer:
        """The next answer; of a connection that was closed without one status 0."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        except (asyncio.IncompleteReadError, ConnectionError):
            return Answer(0, "", b"")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_SECONDS)
        kind = json.loads(body)["type"] if b"problem+json" in head else ""
        return Answer(int(head.split(b" ", 2)[1]), kind, body, head.lower())

    async def closed(self) -> bool:
        """Waits for the other end to close."""
        with suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65536), PATIENCE_SECONDS):
                pass
        return True


Dial = Callable[[], Awaitable[Line]]


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def largest(request: Request) -> Response:
    """The largest piece of the body: what had come between two turns."""
    return PlainTextResponse(str(max([len(piece) async for piece in request.stream()])))


async def stream(request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"."
            await asyncio.sleep(0.15)

    return StreamingResponse(lines())


async def download(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(DOWNLOADS):
            yield DOWNLOAD

    return StreamingResponse(pieces(), headers={"content-length": str(DOWNLOADS * len(DOWNLOAD))})


TAKEN = Counter[str]()
"""By path, bytes of an endless answer that were taken to be sent."""


async def endless(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            TAKEN[request.url.path] += len(SLICE)
            yield SLICE
            await asyncio.sleep(0)  # what is sent to nobody takes no time

    return StreamingResponse(pieces())


async def peer(request: Request) -> Response:
    return PlainTextResponse(
        f"{request.client.host} by {request.url.scheme}" if request.client else ""
    )


async def wait_and_stream(request: Request) -> Response:
    """Has nothing to send for longer than a reader may take."""

    async def lines() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(4 * READ.write_seconds)
        yield b"last"

    return StreamingResponse(lines())


def refused(why: str) -> float:
    return float(metrics.CONNECTIONS_REFUSED.labels(why)._value.get())


def settings(**given: object) -> Settings:
    return load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32, **given)


@asynccontextmanager
async def served(bounds: Bounds = USUAL, **given: object) -> AsyncIterator[Dial]:
    routes = [
        Route("/hello", hello),
        Route("/peer", peer),
        Route("/echo", echo, methods=["POST"]),
        Route("/largest", largest, methods=["POST"]),
        Route("/stream", stream),
        Route("/download", download),
        Route("/endless/{name}", endless),
        Route("/wait", wait_and_stream),
    ]
    config = server.config(
        Starlette(routes=routes), settings(**given), bounds, port=0, lifespan="off"
    )
    one = uvicorn.Server(config)
    task = asyncio.create_task(one.serve())
    lines: list[Line] = []
    try:
        await wait_for(lambda: one.started or task.done(), what="uvicorn listens")
        port = one.servers[0].sockets[0].getsockname()[1]

        async def dial() -> Line:
            lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
            return lines[-1]

        yield dial
    finally:
        for line in lines:
            line.writer.close()
        one.should_exit = True
        await task


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        (None, b"127.0.0.1 by http"),
        ("10.0.0.0/8", b"127.0.0.1 by http"),
        ("127.0.0.1,::1", b"192.0.2.7 by https"),
    ],
)
async def test_whom_a_request_comes_from_only_a_proxy_says_that_is_named(
    trusted: str | None, told: bytes
) -> None:
    """Others on the same machine come from there, whatever address they would like to have."""
    given: dict[str, Any] = {} if trusted is None else {"trusted_proxies": trusted}
    async with served(**given) as dial:
        line = await dial()
        forged = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
        await line.send(b"GET /peer HTTP/1.1\r\nHost: x\r\n" + forged + b"\r\n")
        assert (await line.answer()).rest == told


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    async with served() as made:
        yield made


@pytest.fixture
async def hasty() -> AsyncIterator[Dial]:
    """To a server that waits for parts of a second."""
    async with served(SHORT) as made:
        yield made


async def test_what_is_within_bounds_is_answered(dial: Dial) -> None:
    """Several requests on one connection, one with 31 KiB of headers, one in single bytes."""
    line = await dial()
    await line.send(HEAD + b"X: " + b"a" * 31 * 1024 + b"\r\n\r\n")
    assert (await line.answer()).status == 200
    for byte in HEAD + b"\r\n":
        await line.send(bytes([byte]))
    assert (await line.answer()).status == 200


@pytest.mark.parametrize("pieces", [1, 40])
@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-A: " + b"a" * 2**20 + b"\r\n\r\n",
        HEAD + b"a" * 2**20 + b": x\r\n\r\n",
        HEAD + b"X: y\r\n" * 2**17 + b"\r\n",
        b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /hello?" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["value", "name", "many", "path", "query"],
)
async def test_a_head_over_32_kib_is_431(dial: Dial, head: bytes, pieces: int) -> None:
    """Whatever is large in it, and however it comes; the connection is closed."""
    line = await dial()
    size = len(head) // pieces + 1
    for start in range(0, len(head), size):
        await line.send(head[start : start + size])
    answer = await line.answer()
    assert (answer.status, answer.type) == (431, "head-too-large")
    assert await line.closed()


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"GET /hello HTTP/1.1\r\n" + b"a:b\r\n" * 6200, b"100 headers"),
        (b"GET /hello?" + b"a&" * 100 + b"a HTTP/1.1\r\n", b"100 parameters"),
        (b"GET /hello?" + b"%41" * 3000 + b" HTTP/1.1\r\n", b"8192 bytes"),
        (HEAD + b"Upgrade: x\r\nConnection: upgrade" + b"," * 15_000 + b"\r\n", b"200 items"),
    ],
    ids=["headers", "parameters", "url", "items"],
)
async def test_a_head_of_more_than_requests_have_is_431(
    dial: Dial, head: bytes, why: bytes
) -> None:
    """Each costs more to read than its bytes; nobody knows yet who sends it."""
    before = refused("head")
    line = await dial()
    await line.send(head + b"\r\n")
    answer = await line.answer()
    assert (answer.status, answer.type) == (431, "head-too-large")
    assert why in answer.rest
    assert await line.closed()
    assert refused("head") == before + 1


async def test_a_head_of_as_much_as_may_be_is_answered(dial: Dial) -> None:
    line = await dial()
    many = b"X: y\r\n" * 97
    await line.send(b"GET /hello?" + b"a&" * 99 + b" HTTP/1.1\r\nHost: x\r\n" + many)
    await line.send(b"X: " + b"," * 200 + b"\r\nCookie: " + b"," * 9000 + b"\r\n\r\n")
    assert (await line.answer()).status == 200


async def test_a_large_head_is_told_about(dial: Dial) -> None:
    """One that is sent at once and read before more comes gets the whole answer."""
    line = await dial()
    await line.send(HEAD + b"X: " + b"a" * 40_000)
    answer = await line.answer()
    assert (answer.status, answer.type) == (431, "head-too-large")


async def test_a_head_never_finished_is_408(hasty: Dial) -> None:
    """Half of it, then a byte now and then: the deadline is for all of it."""
    line = await hasty()
    await line.send(HEAD)
    for _ in range(10):
        await line.send(b"X: y\r\n")
        await asyncio.sleep(0.1)
    answer = await line.answer()
    assert (answer.status, answer.type) == (408, "request-timeout")
    assert await line.closed()


async def test_silence_is_closed(hasty: Dial) -> None:
    """So are empty lines, before a first request and after one."""
    silent, empty, later = await hasty(), await hasty(), await hasty()
    await later.send(HEAD + b"\r\n")
    assert (await later.answer()).status == 200
    for _ in range(10):
        await empty.send(b"\r\n")
        await later.send(b"\r\n")
        await asyncio.sleep(0.1)
    for line in (silent, empty, later):
        assert await line.closed()


async def test_a_body_never_finished_is_408(hasty: Dial) -> None:
    """The application waits no longer than the deadline, nor does its caller."""
    line = await hasty()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert await line.closed()


async def test_what_follows_a_body_in_chunks_is_bounded(dial: Dial) -> None:
    """Trailers and chunk extensions are no way around the bound of the head."""
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for tail in (b"2\r\nab\r\n0\r\nX: " + b"a" * 2**20, b"2;x=" + b"a" * 2**20):
        line = await dial()
        await line.send(head + tail)
        assert await line.closed()


async def test_a_body_of_tiny_chunks_is_read(dial: Dial) -> None:
    """Framing of five bytes around each is no attack."""
    line = await dial()
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await line.send(head + b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n")
    answer = await line.answer()
    assert (answer.status, answer.rest) == (200, b"60000")


async def test_a_body_of_many_blank_lines_is_read_in_many_rounds(dial: Dial) -> None:
    """It is cut at each of them, since any may be its end; others have their turns in between."""
    line = await dial()
    body = b"\r\n\r\n" * 10_000
    head = b"POST /largest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await line.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    answer = await line.answer()
    assert answer.status == 200
    assert int(answer.rest) <= 4 * USUAL.pieces_at_once * 4
    await line.send(HEAD + b"\r\n")
    assert (await line.answer()).rest == b"hello"


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 9999999999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n"],
)
@pytest.mark.parametrize("filling", [b"abcd", b"\r\n\r\n"])
async def test_a_body_is_not_read_on_after_its_answer(
    dial: Dial, body: bytes, filling: bytes
) -> None:
    """But for what may be on its way; then the connection closes, with no second answer."""
    before, line, sent = refused("ahead"), await dial(), 0
    await line.send(b"POST /none HTTP/1.1\r\nHost: x\r\n" + body)
    assert (await line.answer()).status == 404
    while refused("ahead") == before and sent < 2**22:
        await line.send(filling * 2048)
        sent += 2048 * len(filling)
        await asyncio.sleep(0)  # what is sent when nobody reads takes no time
    assert await asyncio.wait_for(line.reader.read(), PATIENCE_SECONDS) == b""
    assert refused("ahead") == before + 1


async def test_what_is_wrong_with_a_body_after_its_answer_is_no_second_answer(hasty: Dial) -> None:
    """Whoever reads on would take that for the answer to the next request."""
    late, odd = await hasty(), await hasty()
    for line in (late, odd):
        await line.send(b"POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await line.answer()).status == 404
    await odd.send(b"no number\r\n")
    for line in (late, odd):
        assert await asyncio.wait_for(line.reader.read(), PATIENCE_SECONDS) == b""


async def test_requests_sent_ahead_are_all_answered(dial: Dial) -> None:
    """What waits in line on a connection is not taken for one large head."""
    line = await dial()
    await line.send((HEAD + b"X: " + b"a" * 2000 + b"\r\n\r\n") * 30)
    for _ in range(30):
        assert (await line.answer()).status == 200


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10_000])
async def test_requests_sent_ahead_are_told_apart_however_they_come(dial: Dial, size: int) -> None:
    """Bodies hold what looks like the end of a head, and one that is not wanted ends in time."""
    posted = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\na\r\n\r\nGET / H"
    chunks = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks += b"4\r\n\r\n\r\n\r\n2;x=y\r\nab\r\n0\r\nX: y\r\n\r\n"
    stream = posted % b"/echo" + chunks + HEAD + b"\r\n" + posted % b"/none" + HEAD + b"\r\n"
    line = await dial()
    for start in range(0, len(stream), size):
        await line.send(stream[start : start + size])
    answers = [await line.answer() for _ in range(5)]
    assert [each.status for each in answers] == [200, 200, 200, 404, 200]
    assert [each.rest for each in answers[:3]] == [b"12", b"6", b"hello"]


SMUGGLED = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(SMUGGLED)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
@pytest.mark.parametrize(
    "head",
    [
        b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQAAQAA\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n",
    ],
)
@pytest.mark.parametrize("body", [LENGTH + SMUGGLED, CHUNKED + SMUGGLED + b"\r\n0\r\n\r\n"])
async def test_what_asks_for_another_protocol_is_one_request_with_its_body(
    dial: Dial, head: bytes, body: bytes, pieces: int
) -> None:
    """None is spoken here. Read as a request, its body would be answered to somebody else."""
    line = await dial()
    sent = head + body + HEAD + b"\r\n"
    size = -(-len(sent) // pieces)
    for start in range(0, len(sent), size):
        await line.send(sent[start : start + size])
    first, second = await line.answer(), await line.answer()
    assert (first.status, first.rest) == (200, str(len(SMUGGLED)).encode())
    assert (second.status, second.rest) == (200, b"hello")
    await line.send(HEAD + b"Connection: close\r\n\r\n")
    assert (await line.answer()).rest == b"hello"
    assert await line.closed()


@pytest.mark.parametrize("length", [b"", b"Content-Length: 0\r\n"])
async def test_an_upgrade_without_a_body_is_ignored(dial: Dial, length: bytes) -> None:
    line = await dial()
    await line.send(HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + length + b"\r\n")
    await line.send(HEAD + b"\r\n")
    assert [(await line.answer()).rest for _ in range(2)] == [b"hello", b"hello"]


async def test_no_tunnel_is_opened(dial: Dial) -> None:
    line = await dial()
    length = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
    await line.send(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n" + length + SMUGGLED)
    answer = await line.answer()
    assert (answer.status, answer.type) == (400, "malformed")
    assert b"its target is no path" in answer.rest
    assert await line.closed()


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n : x\r\n\r\n"]
)
async def test_what_is_no_http_is_told_so(dial: Dial, sent: bytes) -> None:
    before = refused("syntax")
    with capture_logs() as lines:
        for _ in range(3):
            line = await dial()
            await line.send(sent)
            answer = await line.answer()
            assert (answer.status, answer.type) == (400, "malformed")
            for header in (b"nosniff", b"cache-control: no-store", b"cross-origin-resource-policy"):
                assert header in answer.head
            assert await line.closed()
    assert refused("syntax") == before + 3
    told = [each for each in lines if each["event"] == "request_refused"]
    assert [each["type"] for each in told] == ["malformed"] * 3


async def test_of_too_much_that_is_sent_ahead_nothing_is_kept(dial: Dial) -> None:
    """The first request is answered, and the connection closed."""
    before = refused("ahead")
    line = await dial()
    await line.send((HEAD + b"\r\n") * 20_000)
    assert (await line.answer()).status == 200
    assert await line.closed()
    assert refused("ahead") == before + 1


async def test_an_answer_may_take_its_time(hasty: Dial) -> None:
    """Deadlines are for what comes in: a stream that is longer than both goes on."""
    line = await hasty()
    await line.send(b"GET /stream HTTP/1.0\r\n\r\n")
    whole = await asyncio.wait_for(line.reader.read(), PATIENCE_SECONDS)
    assert whole.count(b"\r\n.\r\n") == 10
    assert whole.endswith(b"\r\n0\r\n\r\n")


async def cut_off(line: Line, request: bytes) -> None:
    """Asks, and reads nothing until the other end has given it up."""
    before = refused("stalled")
    await line.send(request)
    await wait_for(lambda: refused("stalled") > before, what="the answer is cut off")
    assert await line.closed()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_answer_nobody_reads_is_cut_off(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """It would hold its memory and its place for as long as the caller likes."""

    async def read_nothing() -> None:
        async with served(READ) as dial:
            await cut_off(await dial(), b"GET /download HTTP/1.1\r\nHost: x\r\n\r\n")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(read_nothing())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_cut_off_is_told_in_one_line(
    loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever waits behind it on its connection: no error, and nothing of what answered it."""

    async def read_nothing() -> None:
        async with served(READ) as dial:
            await cut_off(await dial(), b"GET /download HTTP/1.1\r\nHost: x\r\n\r\n" * 3)

    with capture_logs() as told, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(read_nothing())
    assert [each["event"] for each in told] == ["answer_stalled"]
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_of_an_answer_nobody_reads_little_is_kept(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Neither by us nor by the kernel, which has to share what it keeps among all connections."""
    path = f"/endless/{loop.__module__}"

    async def read_nothing() -> None:
        async with served(READ) as dial:
            address = (await dial()).writer.get_extra_info("peername")
            before = refused("stalled")
            with socket.socket() as line:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                line.connect(address)
                line.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await wait_for(lambda: refused("stalled") > before, what="it is cut off")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(read_nothing())
    assert TAKEN[path] < 2**20


async def test_whoever_reads_slowly_gets_all() -> None:
    """Some bytes at a time, for much longer than an answer nobody reads is kept."""
    async with served(READ) as dial:
        line = await dial()
        await line.send(b"GET /download HTTP/1.0\r\n\r\n")
        size = 0
        began = asyncio.get_running_loop().time()
        while piece := await asyncio.wait_for(line.reader.read(2**20), PATIENCE_SECONDS):
            size += len(piece)
            if asyncio.get_running_loop().time() < began + 5 * READ.write_seconds:
                await asyncio.sleep(0.1)
        assert size > DOWNLOADS * len(DOWNLOAD)


async def test_a_stream_may_have_nothing_to_send() -> None:
    """Only data that waits for its reader has a deadline."""
    async with served(READ) as dial:
        line = await dial()
        await line.send(b"GET /wait HTTP/1.0\r\n\r\n")
        whole = await asyncio.wait_for(line.reader.read(), PATIENCE_SECONDS)
        assert whole.endswith(b"\r\nlast\r\n0\r\n\r\n")


@pytest.mark.parametrize("begun", [b"G", HEAD], ids=["a byte", "half a head"])
async def test_unfinished_heads_make_room(begun: bytes) -> None:
    """Whoever only begins requests, on every place there is, keeps nobody out."""
    async with served(max_connections=16) as dial:
        lines = [await dial() for _ in range(16)]
        for line in lines:
            await line.send(begun)
        await asyncio.sleep(0.2)  # no answer tells that the server has read it
        late = await dial()
        await late.send(HEAD + b"\r\n")
        assert (await late.answer()).status == 200
        assert await lines[0].closed()
        await lines[-1].send((HEAD + b"\r\n").removeprefix(begun))
        assert (await lines[-1].answer()).status == 200


async def test_bodies_that_do_not_come_make_room() -> None:
    """Nothing is done yet for their requests; one that has not made room is read to its end."""
    async with served(max_connections=16) as dial:
        lines = [await dial() for _ in range(16)]
        for line in lines:
            await line.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{")
        await asyncio.sleep(0.2)  # no answer tells that the server has read it
        late = await dial()
        await late.send(HEAD + b"\r\n")
        assert (await late.answer()).status == 200
        assert await lines[0].closed()
        await lines[-1].send(b"}}")
        assert (await lines[-1].answer()).rest == b"3"


async def test_bodies_of_answered_requests_make_room() -> None:
    """An answer that comes before its request is whole has ended it."""
    begun = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    async with served(max_connections=16) as dial:
        lines = [await dial() for _ in range(16)]
        for line in lines:
            await line.send(begun)
            assert (await line.answer()).status == 404
        late = await dial()
        await late.send(HEAD + b"\r\n")
        assert (await late.answer()).status == 200
        assert await lines[0].closed()


async def test_answers_nobody_reads_make_room() -> None:
    """Where no idle connection can, whoever has read nothing for longest is cut off."""
    async with served(max_connections=16) as dial:
        lines = [await dial() for _ in range(16)]
        for line in lines:
            await line.send(b"GET /download HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.5)  # no answer tells that no more of it is sent
        late = await dial()
        await late.send(HEAD + b"\r\n")
        assert (await late.answer()).status == 200


async def test_idle_connections_make_room() -> None:
    """All places are taken by idle ones; a new caller is answered, the longest idle is closed."""
    async with served(max_connections=16) as dial:
        idle = [await dial() for _ in range(16)]
        for line in idle:
            await line.send(HEAD + b"\r\n")
            assert (await line.answer()).status == 200
        late = await dial()
        await late.send(HEAD + b"\r\n")
        assert (await late.answer()).status == 200
        assert await idle[0].closed()
        await idle[-1].send(HEAD + b"\r\n")
        assert (await idle[-1].answer()).status == 200


@pytest.mark.parametrize(
    "given",
    [
        {"max_connections_per_address": 8},
        {"max_connections": 16, "trusted_proxies": "127.0.0.1"},
    ],
    ids=["a stranger", "a proxy"],
)
async def test_one_address_has_its_share(given: dict[str, Any]) -> None:
    """It gets so many connections; where all of them are at work, a further one is closed."""
    async with served(**given) as dial:
        lines = [await dial() for _ in range(8)]
        for line in lines:
            await line.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(line.reader.readuntil(b"first"), PATIENCE_SECONDS)
        assert await (await dial()).closed()


async def test_an_address_makes_room_for_itself() -> None:
    """With its share in idle connections it is answered, and the longest idle is closed."""
    async with served(max_connections_per_address=8) as dial:
        lines = [await dial() for _ in range(9)]
        await lines[-1].send(HEAD + b"\r\n")
        assert (await lines[-1].answer()).status == 200
        assert await asyncio.wait_for(lines[0].closed(), USUAL.head_seconds / 2)
