"""Bytes over HTTP: conditions, one range, HEAD (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.api import problems
from app.api.streamed_answers import Within
from app.errors import ReplayError

_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE)


class PreconditionFailed(ReplayError):
    slug, status, title = "precondition-failed", 412, "Changed in the meantime"


class RangeNotSatisfiable(ReplayError):
    slug, status, title = "range-not-satisfiable", 416, "Range outside the content"


PROBLEMS = (PreconditionFailed, RangeNotSatisfiable)
"""What `answer` may raise: problems of each endpoint that answers by it."""


@dataclass(frozen=True)
class Representation:
    """What is served: `size_bytes` under a strong `etag` (with its quotes)."""

    size_bytes: int
    etag: str
    media_type: str
    modified_at: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Reading = Callable[[int, int], AsyncIterator[bytes]]
"""Gives bytes [start, end)."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header asks of `size`; None: all of them.

    Anything but one range of bytes is ignored, which the RFC allows for, and answered whole.
    Raises RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(header)
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    # 10^18 bytes are more than any file; a million digits would only burn time.
    begin, end = (int(digits[:19] or "0") for digits in (first, last))
    if not first:
        begin, end = max(0, size - end), size
    elif last and end < begin:
        return None
    else:
        end = min(end + 1, size) if last else size
    if begin >= size:
        raise RangeNotSatisfiable(f"Range: {header[:80]} asks for bytes behind the last of {size}")
    return begin, end


async def answer(
    request: Request,
    served: Representation,
    read: Reading,
    close: Callable[[], Awaitable[None]] | None = None,
) -> Response:
    """The answer to a GET or HEAD: 200, 206, 304, 412 or 416. Nothing is read before it is sent.

    `close` is called when the answer is over, also if it never began or the client went away.
    """
    response = _answer(request, served, read)
    if close is None:
        return response
    if not isinstance(response, StreamingResponse):
        await close()
        return response
    return Within(response, _closed_by(close))


@asynccontextmanager
async def _closed_by(close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await close()


async def answer_bytes(
    request: Request, content: bytes, media_type: str, headers: Mapping[str, str]
) -> Response:
    """The answer to a GET or HEAD of what is in memory; its ETag is made of the content."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        yield content[start:end]

    served = Representation(len(content), etag, media_type, headers=headers)
    return await answer(request, served, read)


def _answer(request: Request, served: Representation, read: Reading) -> Response:
    given = request.headers
    headers = dict(served.headers) | {"ETag": served.etag, "Accept-Ranges": "bytes"}
    if served.modified_at is not None:
        headers["Last-Modified"] = format_datetime(served.modified_at, usegmt=True)
    if "if-match" in given and not _among(served.etag, given["if-match"]):
        error = PreconditionFailed("the content has another ETag than If-Match says")
        return problems.of_error(error, headers)
    if is_known(given, served):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        span = wanted(given["range"], served.size_bytes) if _takes_range(given, served) else None
    except RangeNotSatisfiable as error:
        return problems.of_error(error, headers | {"Content-Range": f"bytes */{served.size_bytes}"})
    status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
    start, end = span or (0, served.size_bytes)
    headers["Content-Length"] = str(end - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{served.size_bytes}"
    if request.method == "HEAD":
        return Response(None, status, headers, served.media_type)
    return StreamingResponse(read(start, end), status, headers, served.media_type)


def _among(etag: str, listed: str) -> bool:
    return listed.strip() == "*" or etag in _tags(listed)


def _tags(listed: str) -> list[str]:
    """The tags in a list; none of ours holds a comma, and a head has so many and no more."""
    return [tag.strip() for tag in listed.split(",")]


def is_known(given: Headers, served: Representation) -> bool:
    """Whether a request's headers say that its sender has it already."""
    if "if-none-match" in given:
        listed = given["if-none-match"]
        weak = [tag.removeprefix("W/") for tag in _tags(listed)]
        return listed.strip() == "*" or served.etag in weak
    since = _date(given.get("if-modified-since", ""))
    return (
        since is not None
        and served.modified_at is not None
        and served.modified_at.replace(microsecond=0) <= since
    )


def _takes_range(given: Headers, served: Representation) -> bool:
    if "range" not in given:
        return False
    condition = given.get("if-range", served.etag).strip()
    if condition.endswith('"'):
        return condition == served.etag  # a weak tag never equals a strong one
    date = _date(condition)
    return (
        date is not None
        and served.modified_at is not None
        and served.modified_at.replace(microsecond=0) == date
    )


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else None
