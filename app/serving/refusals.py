"""What a connection is refused with, where no application could answer, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

import httptools
import structlog
from starlette.datastructures import MutableHeaders

from app import metrics
from app.errors import Malformed, ReplayError
from app.models.metric_words import ConnectionRefusal
from app.serving.safe_headers import complete
from app.work.log_lines import LogLines

log = structlog.get_logger()


class HeadTooLarge(ReplayError):
    slug, status, title = "head-too-large", 431, "Request URL and headers too large"


class RequestTimeout(ReplayError):
    slug, status, title = "request-timeout", 408, "Request timed out"


def too_large(most_bytes: int) -> HeadTooLarge:
    """Of a head that has more bytes than it may."""
    return HeadTooLarge(f"URL and headers are larger than {most_bytes} bytes in all")


def late(what: str, seconds: float) -> RequestTimeout:
    """Of a request whose `what` takes too long."""
    return RequestTimeout(f"the request's {what} was not whole within {seconds:g} s")


def malformed(error: httptools.HttpParserError) -> Malformed:
    """Of what its parser can't read."""
    is_ours = isinstance(error, httptools.HttpParserCallbackError)
    why = "its target is no path" if is_ours else str(error)
    return Malformed(f"it can't be read as HTTP/1.1: {why}")


def answer(error: ReplayError, site: Mapping[str, str]) -> bytes:
    """A problem document as a whole answer: there is no application that could give one.

    `site`: headers that all answers have.
    """
    document = {
        "type": error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    body = json.dumps(document).encode()
    headers = MutableHeaders(
        {
            "content-type": "application/problem+json",
            "content-length": str(len(body)),
            "connection": "close",
        }
    )
    complete(headers, site)
    head = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


class RefusalReport:
    """What operators hear of a server's connections: each refusal is counted, many have a line."""

    def __init__(self) -> None:
        self._lines = LogLines("connections_without_lines")

    def refused(self, what: ConnectionRefusal, error: ReplayError, peer: str) -> None:
        """A request was refused for its `what`."""
        metrics.CONNECTIONS_REFUSED.labels(what).inc()
        if self._lines.take():
            log.warning("request_refused", type=error.slug, detail=error.detail, peer=peer)

    def stalled(self, why: str, peer: str) -> None:
        """An answer was cut off."""
        metrics.CONNECTIONS_REFUSED.labels(ConnectionRefusal.STALLED).inc()
        if self._lines.take():
            log.warning("answer_stalled", why=why, peer=peer)
