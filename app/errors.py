"""Errors: what can go wrong in words that a caller can act on.

Each class of ReplayError has a stable slug. `app.api.problems` turns them into HTTP answers; the
workers store slug and detail in the row that failed.
"""

from __future__ import annotations

from typing import ClassVar


class ConfigurationError(Exception):
    """A setting is wrong or missing. The text names it, its value and what is allowed."""


class ReplayError(Exception):
    """Base of all errors that a caller may see.

    `detail` says what was wrong, with which value, and what to do. `extra` are further members of
    the problem document (RFC 9457).
    """

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong here"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(ReplayError):
    slug, status, title = "invalid", 422, "The request is not valid"


class Malformed(ReplayError):
    slug, status, title = "malformed", 400, "The request can't be read"


class Unauthorized(ReplayError):
    slug, status, title = "unauthorized", 401, "A valid access token is needed"


class NotPermitted(ReplayError):
    slug, status, title = "not-permitted", 403, "The caller may not do this"


class NotFound(ReplayError):
    slug, status, title = "not-found", 404, "There is no such thing, or none the caller may see"


class Conflict(ReplayError):
    slug, status, title = "conflict", 409, "The thing is in another state than this needs"


class BufferEmpty(ReplayError):
    slug, status, title = "buffer-empty", 409, "The buffer holds nothing yet"


class Gone(ReplayError):
    slug, status, title = "gone", 410, "This is no longer kept"


class TooLarge(ReplayError):
    slug, status, title = "too-large", 413, "The request body is too large"


class WindowTooLong(ReplayError):
    slug, status, title = "window-too-long", 413, "The window is longer than is offered"


class TooManyCaptures(ReplayError):
    slug, status, title = "too-many-captures", 429, "Too many captures at once"


class TooManyRequests(ReplayError):
    slug, status, title = "too-many-requests", 429, "Too many requests"


class Unavailable(ReplayError):
    slug, status, title = "unavailable", 503, "Something that is needed does not answer"


class StoreAway(Unavailable):
    """Where clips are kept does not answer as it should: what was asked for is tried again."""


class StoreRefuses(StoreAway):
    """It does not let us: somebody has to change a key, a right or a setting."""


class QuotaExceeded(ReplayError):
    slug, status, title = "quota-exceeded", 507, "The quota is used up"


class StorageFull(ReplayError):
    slug, status, title = "storage-full", 507, "The disk is full"


class CaptureFailed(ReplayError):
    """A capture that can't be made; `slug` of the instance says why."""

    slug, status, title = "capture-failed", 500, "The capture could not be made"
