"""What a connection is refused with, where no application could answer."""

from __future__ import annotations

import json
from http import HTTPStatus

from app.errors import ReplayError


class HeadTooLarge(ReplayError):
    slug, status, title = "head-too-large", 431, "The request's URL and headers are too large"


class RequestTimeout(ReplayError):
    slug, status, title = "request-timeout", 408, "The request did not come in time"


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
        "cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
