"""Problem documents (RFC 9457) as the description has them: a schema for each type."""

from __future__ import annotations

from collections.abc import Iterable

from app.api.component_schemas import Json
from app.errors import (
    Invalid,
    QuotaExceeded,
    ReplayError,
    TooLarge,
    TooManyCaptures,
    TooManyRequests,
    WindowTooLong,
)

_LIMIT = {
    "limit": {"type": "integer", "description": "How many there may be.", "examples": [4]},
}


def _bytes(description: str) -> Json:
    return {"type": "integer", "description": description, "examples": [34_700_000]}


_WRONG_FIELD: Json = {
    "type": "object",
    "description": "A member or parameter that is wrong.",
    "required": ["field", "message"],
    "properties": {
        "field": {
            "type": "string",
            "description": "Its name; within others, after a dot each.",
            "examples": ["last"],
        },
        "message": {
            "type": "string",
            "description": "What is wrong with it.",
            "examples": ["Input should be greater than 0"],
        },
        "value": {
            "type": "string",
            "description": "What was given, shortened.",
            "examples": ["-5"],
        },
    },
}
_MEMBERS: dict[type[ReplayError], Json] = {
    ReplayError: {
        "request_id": {
            "type": "string",
            "description": "What to look for in the log.",
            "examples": ["3f1a5f0c2d9e8b7a"],
        }
    },
    Invalid: {
        "errors": {
            "type": "array",
            "description": "What is wrong, member by member.",
            "items": {"$ref": "#/components/schemas/WrongField"},
        },
        "ceiling": {
            "type": "number",
            "description": "What a limit may not exceed.",
            "examples": [60],
        },
        "sizes": {
            "type": "array",
            "description": "Widths and heights of tiles that there are.",
            "items": {"type": "array", "items": {"type": "integer", "examples": [160]}},
        },
    },
    TooLarge: {"limit_bytes": _bytes("How large a body may be.")},
    TooManyCaptures: _LIMIT,
    TooManyRequests: _LIMIT,
    WindowTooLong: {
        "max_seconds": {
            "type": "number",
            "description": "How long a window may be.",
            "examples": [720],
        }
    },
    QuotaExceeded: {
        "quota_bytes": _bytes("What is allowed."),
        "used_bytes": _bytes("What clips take."),
        "reserved_bytes": _bytes("What captures on their way hold."),
        "needed_bytes": _bytes("What this one would need."),
    },
}
"""What a problem says besides the four that each has. None of it is always there."""


def name_of(error: type[ReplayError]) -> str:
    """The name of the schema of an error's documents: `not-found` → `NotFoundProblem`."""
    return "".join([*(word.capitalize() for word in error.slug.split("-")), "Problem"])


def of_errors(errors: Iterable[type[ReplayError]]) -> dict[str, Json]:
    """The schemas of the documents of these errors, and of what stands in them, by name."""
    return {name_of(error): _schema(error) for error in errors} | {"WrongField": _WRONG_FIELD}


def _schema(error: type[ReplayError]) -> Json:
    return {
        "type": "object",
        "description": f"{error.title}.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {
                "type": "string",
                "enum": [error.slug],
                "description": "What is wrong, as a slug that stays.",
            },
            "title": {
                "type": "string",
                "description": "The same in words, for people.",
                "examples": [error.title],
            },
            "status": {
                "type": "integer",
                "enum": [int(error.status)],
                "description": "The status of the answer.",
            },
            "detail": {
                "type": "string",
                "description": "What was wrong, with which value, and what to do.",
                "examples": [f"{error.title}: what to do stands here"],
            },
            "retry_after": {
                "type": "number",
                "description": "After how many seconds to try again, where that is known.",
                "examples": [2],
            },
            **_MEMBERS.get(error, {}),
        },
        "additionalProperties": True,
    }
