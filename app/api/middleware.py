"""What every request passes on its way in and out. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.api.answer_watch import Ended
from app.clips.clip_visibility import PAGES
from app.errors import TooLarge
from app.settings import safety
from app.tracing import trace
from app.tracing.trace import StepKind
from app.work.log_lines import LogLines
from app.work.parties import LONGEST

log = structlog.get_logger()

REQUEST_ID = "x-request-id"
_FORWARDED_FOR = "x-forwarded-for"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods of requests that are traced: media, playlists and streams would be too many."""
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug."""
LONGEST_PATH = 300


class RequestFrame:
    """Gives each request an id, a log line, and an answer whatever happens.

    The line has the path, never the query, which may hold signatures, nor a link's secret; of a
    refusal the sender's address, too. A caller has so many lines a minute, all who show no name as
    many together, and how many requests have none is told. Once it tells of a proxy on this machine
    that TRUSTED_PROXIES does not name: all who come by it count as one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lines = LogLines("requests_without_lines")
        self._knows_proxy = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._look_for_proxy(scope, headers)
        given = headers.get(REQUEST_ID, "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        # A server may handle several requests of a connection in one context.
        structlog.contextvars.unbind_contextvars("caller")
        structlog.contextvars.bind_contextvars(request_id=request_id)
        with _step(scope, headers):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = time.perf_counter()
        status: int | None = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            log.info("client_gone")
        except Ended as error:  # the server cuts the connection: the answer is not whole
            log.info("answer_broken_off", reason=str(error))
        except Exception as error:  # the last resort: the caller gets an answer, whatever it was
            log.exception("request_error")
            if status is not None:
                raise  # the server cuts the connection, which tells that the answer is not whole
            trace.raised(error)
            await problems.internal(request_id)(scope, receive, answer)
        finally:
            _trace_answer(scope, status)
            if self._lines.take(structlog.contextvars.get_contextvars().get("caller", "")):
                _tell(scope, status, time.perf_counter() - began)

    def _look_for_proxy(self, scope: Scope, headers: Headers) -> None:
        peer = (scope.get("client") or ("", 0))[0]
        if self._knows_proxy or _FORWARDED_FOR not in headers or not safety.is_loopback(peer):
            return
        self._knows_proxy = True
        log.warning("proxy_not_named", peer=peer, hint="name it in TRUSTED_PROXIES, if it is yours")


def _step(scope: Scope, headers: Headers) -> AbstractContextManager[None]:
    """The step of a request, in the trace that its sender names. No path is told: it has names."""
    if (method := scope["method"]) not in _CHANGING:
        return nullcontext()
    told = {"http.request.method": method, "url.scheme": scope.get("scheme", "http")}
    given = headers.get("traceparent")
    return trace.step(method, told, kind=StepKind.SERVER, traceparent=given)


def _trace_answer(scope: Scope, status: int | None) -> None:
    if (route := getattr(scope.get("route"), "path", None)) is not None:
        trace.rename(f"{scope['method']} {route}")
        trace.tell({"http.route": route})
    if status is not None:
        trace.tell({"http.response.status_code": status})


def _tell(scope: Scope, status: int | None, seconds: float) -> None:
    path = scope.get("raw_path", b"")[:LONGEST_PATH].decode("ascii", "replace")
    if PAGES in scope["path"].lower():  # wherever: behind a slash too many it is no less secret
        path = f"{PAGES}…"
    told = {}
    if status in _REFUSALS and scope.get("client"):
        told = {"peer": scope["client"][0][:LONGEST]}
    tell = log.debug if path in _QUIET else log.info
    tell(
        "request",
        method=scope["method"],
        path=path,
        status=status,
        ms=round(seconds * 1000, 1),
        **told,
    )


class BodyLimit:
    """Refuses request bodies over a number of bytes, told or not, with a problem document.

    `larger`: paths that may be sent more.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.larger = dict(larger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"], self.limit)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            refusal = problems.of_error(_too_large(limit))
            # What is still coming is not worth reading.
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, receive_limited, send)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes", limit_bytes=limit)


def cors(origins: tuple[str, ...]) -> dict[str, Any]:
    """Starlette's CORS middleware for pages of these origins, as its arguments."""
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "If-Range",
            "Last-Event-ID",
            "Range",
            REQUEST_ID,
        ],
        "expose_headers": [
            "Accept-Ranges",
            "Content-Disposition",
            "Content-Range",
            "Deprecation",
            "Digest",
            "ETag",
            "Link",
            "Location",
            "Retry-After",
            REQUEST_ID,
        ],
        "max_age": 600,
    }
