"""Errors as HTTP answers: problem documents (RFC 9457) with a stable slug as their type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import redis.exceptions
import structlog
from pymongo.errors import ConnectionFailure
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from app.errors import Malformed, NotFound, ReplayError, TooLarge, Unavailable

MEDIA_TYPE = "application/problem+json"
METHOD_NOT_ALLOWED = "method-not-allowed"
RETRY_UNAVAILABLE_SECONDS = 2

log = structlog.get_logger()


def document(
    *,
    slug: str,
    status: int,
    title: str,
    detail: str = "",
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document {type: slug, title, status, detail, …extra} as an answer."""
    content: dict[str, object] = {"type": slug, "title": title, "status": status}
    if detail:
        content["detail"] = detail
    return Response(
        # ASCII, so that a lone surrogate in what a caller sent can't break the answer to it.
        json.dumps(dict(extra or {}) | content, default=str),
        status,
        headers,
        MEDIA_TYPE,
    )


def of_error(error: ReplayError) -> Response:
    """The answer that tells of one of our errors."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.extra.get("retry_after")
    if isinstance(retry_after, int | float):
        headers["Retry-After"] = str(math.ceil(retry_after))
    return document(
        slug=error.slug,
        status=error.status,
        title=error.title,
        detail=error.detail,
        extra=error.extra,
        headers=headers,
    )


def internal(request_id: str) -> Response:
    """The answer to an error that nobody foresaw: the id to look for in the log, nothing else."""
    return document(
        slug=ReplayError.slug,
        status=ReplayError.status,
        title=ReplayError.title,
        extra={"request_id": request_id},
    )


async def _replay_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReplayError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
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
            return document(
                slug=METHOD_NOT_ALLOWED,
                status=error.status_code,
                title="The path does not take this method",
                detail=f"{request.method} is not possible here: use {allowed}",
                headers={"Allow": allowed},
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return of_error(TooLarge(error.detail))
        case _:
            return of_error(Malformed(error.detail))


async def _store_unreachable(request: Request, error: Exception) -> Response:
    store = "the database" if isinstance(error, ConnectionFailure) else "the queue"
    log.warning("store_unreachable", store=store, error=str(error))
    return of_error(
        Unavailable(
            f"{store} does not answer; nothing was changed that was not confirmed: try again",
            retry_after=RETRY_UNAVAILABLE_SECONDS,
        )
    )


HANDLERS: dict[Any, ExceptionHandler] = {
    ReplayError: _replay_error,
    HTTPException: _http_exception,
    ConnectionFailure: _store_unreachable,
    redis.exceptions.ConnectionError: _store_unreachable,
    redis.exceptions.TimeoutError: _store_unreachable,
}
"""For Starlette. Whatever is not listed is answered by `app.api.middleware` with `internal`."""
