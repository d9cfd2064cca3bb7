"""What every request meets: ids, limits, safe headers, and problem documents for whatever fails."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import MappingProxyType

import httpx
import pytest
import redis.exceptions
import structlog
from pymongo.errors import ServerSelectionTimeoutError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message
from structlog.testing import capture_logs

from app.api import problems
from app.api.middleware import (
    LONGEST_PATH,
    BodyLimit,
    RequestFrame,
    cors,
)
from app.errors import BufferEmpty, Malformed, NotPermitted, Unauthorized
from app.main import create_app
from app.serving import refusals
from app.serving.safe_headers import SafeHeaders, site_headers
from app.settings import load
from app.work.log_lines import LINES
from app.work.parties import LONGEST
from handlers import router

ORIGIN = "https://app.example"


def client(
    endpoint: Callable[..., object],
    origins: tuple[str, ...] = (),
    site: Mapping[str, str] = MappingProxyType({}),
) -> httpx.AsyncClient:
    middleware = [Middleware(RequestFrame), Middleware(BodyLimit, 100, {"/large": 1000})]
    if origins:
        middleware.insert(0, Middleware(CORSMiddleware, **cors(origins)))
    middleware.insert(0, Middleware(SafeHeaders, site))
    routes = [
        Route("/", endpoint, methods=["GET", "POST"]),
        Route("/large", endpoint, methods=["POST"]),
    ]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=problems.HANDLERS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def ok(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


def failing(error: Exception) -> Callable[..., object]:
    async def endpoint(request: Request) -> Response:
        raise error

    return endpoint


async def test_every_answer_has_an_id_and_safe_headers() -> None:
    async with client(ok) as http:
        for path in ("/", "/nowhere"):
            headers = (await http.get(path)).headers
            assert re.fullmatch("[0-9a-f]{16}", headers["X-Request-Id"])
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_a_request_id_is_taken_over_if_it_is_harmless() -> None:
    async with client(ok) as http:
        assert (await http.get("/", headers={"X-Request-Id": "a-1"})).headers[
            "X-Request-Id"
        ] == "a-1"
        for odd in ("a b", "x" * 65, "é", "<script>"):
            given = odd.encode()
            found = await http.get("/", headers={b"X-Request-Id": given})
            assert found.headers["X-Request-Id"] != odd


async def test_the_log_line_has_the_path_and_never_the_query() -> None:
    with structlog.testing.capture_logs() as lines:
        async with client(ok) as http:
            await http.get("/?sig=secret&token=secret")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/"
    assert line["method"] == "GET"
    assert line["status"] == 200
    assert "secret" not in str(lines)


@pytest.mark.parametrize(
    "path",
    [
        "/c/s3cret",
        "/c/s3cret/embed",
        "/%63/s3cret",
        "/c/s3cret/x?y",
        "http://test//c/s3cret",
        "/C/s3cret",
        "/replay/c/s3cret",
        "/x/%2e%2e/c%2Fs3cret",
    ],
)
async def test_the_secret_of_a_link_is_in_no_log_line(path: str) -> None:
    """However it is written, and whatever is behind it."""
    with structlog.testing.capture_logs() as lines:
        async with client(ok) as http:
            await http.get(path)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/c/…"
    assert "s3cret" not in str(lines)


async def test_the_line_of_a_refusal_has_the_senders_address() -> None:
    told = []
    for error in (Unauthorized("no token"), NotPermitted("not yours"), BufferEmpty("nothing")):
        with structlog.testing.capture_logs() as lines:
            async with client(failing(error)) as http:
                await http.get("/")
        told += [line.get("peer") for line in lines if line["event"] == "request"]
    assert told == ["127.0.0.1", "127.0.0.1", None]


async def test_a_proxy_on_this_machine_that_is_not_named_is_told_of_once() -> None:
    with structlog.testing.capture_logs() as lines:
        async with client(ok) as http:
            for _ in range(2):
                await http.get("/", headers={"X-Forwarded-For": "192.0.2.7"})
    assert [line["event"] for line in lines if line["event"] != "request"] == ["proxy_not_named"]


async def test_an_address_is_no_longer_in_the_log_than_any_is() -> None:
    """A proxy may hand on anything for one."""
    transport = httpx.ASGITransport(
        RequestFrame(Response(status_code=403)), client=("A" * 20_000, 1)
    )
    with structlog.testing.capture_logs() as lines:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            await http.get("/")
    assert [line["peer"] for line in lines if line["event"] == "request"] == ["A" * LONGEST]


@pytest.mark.parametrize(
    ("set_to", "policy", "tls"),
    [
        ({}, "same-origin", None),
        ({"cors_origins": ORIGIN}, "cross-origin", None),
        ({"public_url": "https://replay.example"}, "same-origin", "max-age=31536000"),
    ],
)
async def test_browsers_are_told_whose_pages_may_show_it_and_to_come_by_tls(
    set_to: dict[str, str], policy: str, tls: str | None
) -> None:
    settings = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32, **set_to)
    async with client(ok, site=site_headers(settings)) as http:
        for path in ("/", "/nowhere"):
            headers = (await http.get(path)).headers
            assert headers["Cross-Origin-Resource-Policy"] == policy
            assert headers.get("Strict-Transport-Security") == tls


async def test_what_no_application_answers_has_the_same_headers() -> None:
    """A refusal of the server's own."""
    site = {"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=1"}
    async with client(ok, site=site) as http:
        wanted = (await http.get("/nowhere")).headers
    head, _, body = refusals.answer(Malformed("it is no HTTP"), site).decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    told = httpx.Headers(dict(line.split(": ", 1) for line in lines))
    assert status == "HTTP/1.1 400 Bad Request"
    assert int(told["content-length"]) == len(body)
    own = {"connection", "x-request-id", "content-length"}
    assert {n: v for n, v in told.items() if n not in own} == {
        n: v for n, v in wanted.items() if n not in own
    }


async def test_an_error_of_ours_becomes_a_problem_document() -> None:
    error = BufferEmpty("nothing has been recorded yet", retry_after=1.2, oldest=None)
    async with client(failing(error)) as http:
        found = await http.get("/")
    assert found.status_code == 409
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.headers["Retry-After"] == "2"
    assert found.json() == {
        "type": "buffer-empty",
        "title": BufferEmpty.title,
        "status": 409,
        "detail": "nothing has been recorded yet",
        "retry_after": 1.2,
        "oldest": None,
    }


async def test_a_refused_caller_is_told_how_to_prove_himself() -> None:
    async with client(failing(Unauthorized("no"))) as http:
        found = await http.get("/")
    assert found.status_code == 401
    assert found.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "error",
    [
        ServerSelectionTimeoutError("db-3.internal:27017: refused"),
        redis.exceptions.ConnectionError("redis-1.internal: refused"),
        redis.exceptions.BusyLoadingError("loading"),
        redis.exceptions.TimeoutError("late"),
    ],
)
async def test_a_store_that_does_not_answer_is_a_503(error: Exception) -> None:
    async with client(failing(error)) as http:
        found = await http.get("/")
    assert found.status_code == 503
    assert found.json()["type"] == "unavailable"
    assert int(found.headers["Retry-After"]) > 0
    assert "internal" not in found.text


async def test_an_unforeseen_error_tells_its_id_and_nothing_else() -> None:
    with structlog.testing.capture_logs() as lines:
        async with client(failing(KeyError("a secret"))) as http:
            found = await http.get("/")
    assert found.status_code == 500
    assert found.json()["type"] == "internal"
    assert found.json()["request_id"] == found.headers["X-Request-Id"]
    assert "secret" not in found.text
    assert [line for line in lines if line["event"] == "request_error"]
    assert [line["status"] for line in lines if line["event"] == "request"] == [500]


async def test_an_error_within_a_stream_is_not_passed_off_as_its_end() -> None:
    async def endpoint(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise KeyError("half way")

        return StreamingResponse(body())

    async with client(endpoint) as http:
        with pytest.raises(KeyError):
            await http.get("/")


async def test_unknown_paths_and_methods_are_problems_too() -> None:
    async with client(ok) as http:
        missing = await http.get("/nowhere?sig=secret")
        assert missing.status_code == 404
        assert missing.json()["type"] == "not-found"
        assert "secret" not in missing.text
        wrong = await http.delete("/")
        assert wrong.status_code == 405
        assert wrong.json()["type"] == "method-not-allowed"
        assert wrong.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(
    told: bool,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10

    async with client(ok) as http:
        found = await http.post("/", content=b"x" * 110 if told else chunks())
        assert found.status_code == 413
        assert found.json()["type"] == "too-large"
        assert found.headers["X-Request-Id"]
        assert (await http.post("/", content=b"x" * 100)).json() == {"bytes": 100}
        assert (await http.post("/large", content=b"x" * 1000)).json() == {"bytes": 1000}
        assert (await http.post("/large", content=b"x" * 1001)).status_code == 413


async def test_pages_of_other_origins_are_kept_out_by_default() -> None:
    async with client(ok) as http:
        found = await http.get("/", headers={"Origin": ORIGIN})
        assert "access-control-allow-origin" not in found.headers


async def test_the_answer_to_a_preflight_has_safe_headers_too() -> None:
    """Of the application as it is: no route of it answers."""
    given = {"cors_origins": ORIGIN, "public_url": "https://replay.example"}
    settings = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32, **given)
    transport = httpx.ASGITransport(create_app(settings, router))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}
        preflight = await http.options("/buffers/b1", headers=asked)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert preflight.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert preflight.headers["X-Content-Type-Options"] == "nosniff"


async def test_pages_of_allowed_origins_may_send_tokens_and_read_errors() -> None:
    async with client(ok, origins=(ORIGIN,)) as http:
        asked = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "authorization,idempotency-key,range",
        }
        preflight = await http.options("/", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == ORIGIN
        found = await http.get("/nowhere", headers={"Origin": ORIGIN})
        assert found.status_code == 404
        assert found.headers["access-control-allow-origin"] == ORIGIN
        assert "content-range" in found.headers["access-control-expose-headers"].lower()
        other = await http.get("/", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_what_the_process_says_of_itself_stays_on_its_lines() -> None:
    """`app.logs` binds the process's role once; requests add to it."""
    with structlog.contextvars.bound_contextvars(role="api"):
        async with client(ok) as http:
            await http.get("/")
        assert structlog.contextvars.get_contextvars()["role"] == "api"


async def test_a_caller_who_leaves_while_sending_is_no_error_of_ours() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody is there to be sent {message}")

    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": []}
    app = Starlette(
        routes=[Route("/", ok, methods=["POST"])],
        middleware=[Middleware(RequestFrame)],
        exception_handlers=problems.HANDLERS,
    )
    with structlog.testing.capture_logs() as lines:
        await app(scope, receive, send)
    assert [line["event"] for line in lines] == ["client_gone", "request"]


async def test_a_caller_has_so_many_lines_and_all_the_nameless_as_many() -> None:
    """And short ones; those of others have theirs."""

    async def named(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(caller="ann")
        raise NotPermitted("no")

    began = time.monotonic()
    with capture_logs() as lines:
        async with client(named) as http:
            for _ in range(LINES + 50):
                await http.get("/" + "x" * 2000)
            for _ in range(LINES + 50):
                await http.get("/")
    most = LINES * (1 + (time.monotonic() - began) / 60) + 1
    told = [line for line in lines if line["event"] == "request"]
    strange = [line for line in told if line["status"] == 404]
    assert LINES <= len(strange) <= most
    assert max(len(line["path"]) for line in strange) == LONGEST_PATH
    anns = [line for line in told if line["status"] == 403]
    assert LINES <= len(anns) <= most
