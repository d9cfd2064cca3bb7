"""Errors as HTTP answers: problem documents (RFC 9457) with a stable slug as their type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from app.clips.clean_copies import Preparing
from app.errors import Malformed, NotFound, ReplayError, TooLarge, Unavailable
from app.tracing import trace
from app.work import store_troubles

MEDIA_TYPE = "application/problem+json"
RETRY_UNAVAILABLE_SECONDS = 2

log = structlog.get_logger()


class MethodNotAllowed(ReplayError):
    slug, status, title = "method-not-allowed", 405, "Method not allowed"


def of_error(error: ReplayError, headers: Mapping[str, str] | None = None) -> Response:
    """The problem document {type: slug, title, status, detail, …extra} of one of our errors."""
    headers = dict(headers or {})
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.extra.get("retry_after")
    if isinstance(retry_after, int | float):
        headers["Retry-After"] = str(math.ceil(retry_after))
    document = {
        "type": error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    # ASCII, so that a lone surrogate in what a caller sent can't break the answer to it.
    content = json.dumps(document | error.extra, default=str)
    return Response(content, error.status, headers, MEDIA_TYPE)


def internal(request_id: str) -> Response:
    """The answer to an error that nobody foresaw: the id to look for in the log, nothing else."""
    return of_error(ReplayError("the log tells more under this request_id", request_id=request_id))


async def _replay_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReplayError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Preparing):
        trace.raised(error)
        log.warning("request_failed", type=error.slug, detail=error.detail)
    return of_error(error)


async def _http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own errors, where no route, no method or no readable body was found."""
    assert isinstance(error, HTTPException)
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return of_error(NotFound("there is nothing under this path"))
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(sorted((error.headers or {})["Allow"].split(", ")))
            return of_error(
                MethodNotAllowed(f"{request.method} is not possible here: use {allowed}"),
                {"Allow": allowed},
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return of_error(TooLarge(error.detail))
        case _:
            return of_error(Malformed(error.detail))


async def _store_error(request: Request, error: Exception) -> Response:
    if (trouble := store_troubles.note(error)) is None:
        raise error
    trace.raised(error)
    return of_error(
        Unavailable(
            f"{trouble.detail}; nothing was changed that was not confirmed: try again",
            retry_after=RETRY_UNAVAILABLE_SECONDS,
        )
    )


HANDLERS: dict[Any, ExceptionHandler] = {
    ReplayError: _replay_error,
    HTTPException: _http_exception,
    PyMongoError: _store_error,
    RedisError: _store_error,
}
"""For Starlette. Whatever is not listed is answered by `app.api.middleware` with `internal`."""
