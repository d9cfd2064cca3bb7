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
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(ReplayError):
    slug, status, title = "invalid", 422, "Invalid request"


class Malformed(ReplayError):
    slug, status, title = "malformed", 400, "Unreadable request"


class Unauthorized(ReplayError):
    slug, status, title = "unauthorized", 401, "Valid access token required"


class NotPermitted(ReplayError):
    slug, status, title = "not-permitted", 403, "Not allowed"


class NotFound(ReplayError):
    slug, status, title = "not-found", 404, "Not found, or not visible to the caller"


class Conflict(ReplayError):
    slug, status, title = "conflict", 409, "Not possible in the current state"


class BufferEmpty(ReplayError):
    slug, status, title = "buffer-empty", 409, "Nothing recorded yet"


class Gone(ReplayError):
    slug, status, title = "gone", 410, "No longer available"


class TooLarge(ReplayError):
    slug, status, title = "too-large", 413, "Request body too large"


class WindowTooLong(ReplayError):
    slug, status, title = "window-too-long", 413, "Window too long"


class TooManyCaptures(ReplayError):
    slug, status, title = "too-many-captures", 429, "Too many captures at once"


class TooManyRequests(ReplayError):
    slug, status, title = "too-many-requests", 429, "Too many requests"


class Unavailable(ReplayError):
    slug, status, title = "unavailable", 503, "Temporarily unavailable"


class StoreAway(Unavailable):
    """Where clips are kept does not answer as it should: what was asked for is tried again."""


class StoreRefuses(StoreAway):
    """It does not let us: somebody has to change a key, a right or a setting."""


class QuotaExceeded(ReplayError):
    slug, status, title = "quota-exceeded", 507, "Quota exceeded"


class StorageFull(ReplayError):
    slug, status, title = "storage-full", 507, "Disk full"


class CaptureFailed(ReplayError):
    """A capture that can't be made; `slug` of the instance says why."""

    slug, status, title = "capture-failed", 500, "Capture failed"
