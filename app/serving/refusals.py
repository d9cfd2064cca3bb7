"""What a connection is refused with, where no application could answer, and what is told of it."""

from __future__ import annotations

import json
from http import HTTPStatus

import httptools
import structlog

from app import metrics
from app.errors import Malformed, ReplayError
from app.work.log_lines import LogLines

log = structlog.get_logger()


class HeadTooLarge(ReplayError):
    slug, status, title = "head-too-large", 431, "The request's URL and headers are too large"


class RequestTimeout(ReplayError):
    slug, status, title = "request-timeout", 408, "The request did not come in time"


def too_large(most_bytes: int) -> HeadTooLarge:
    """Of a head that is larger than it may be."""
    return HeadTooLarge(f"URL and headers are larger than {most_bytes} bytes in all")


def late(what: str, seconds: float) -> RequestTimeout:
    """Of a request whose `what` takes too long."""
    return RequestTimeout(f"the request's {what} was not whole within {seconds:g} s")


def malformed(error: httptools.HttpParserError) -> Malformed:
    """Of what its parser can't read."""
    is_ours = isinstance(error, httptools.HttpParserCallbackError)
    why = "its target is no path" if is_ours else str(error)
    return Malformed(f"it can't be read as HTTP/1.1: {why}")


def answer(error: ReplayError) -> bytes:
    """A problem document as a whole answer: there is no application that could give one."""
    document = {
        "type": error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


class RefusalReport:
    """What operators hear of a server's connections: each refusal is counted, many have a line."""

    def __init__(self) -> None:
        self._lines = LogLines("connections_without_lines")

    def refused(self, what: str, error: ReplayError, peer: str) -> None:
        """A request was refused for its `what`."""
        metrics.CONNECTIONS_REFUSED.labels(what).inc()
        if self._lines.take():
            log.warning("request_refused", type=error.slug, detail=error.detail, peer=peer)

    def stalled(self, why: str, peer: str) -> None:
        """An answer was cut off."""
        metrics.CONNECTIONS_REFUSED.labels("stalled").inc()
        if self._lines.take():
            log.warning("answer_stalled", why=why, peer=peer)
