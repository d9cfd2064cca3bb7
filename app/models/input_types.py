"""Types of what callers give: moments, lengths of time, names. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, GetJsonSchemaHandler

from app.models.durations import PATTERN, parse_duration

POST_ROLL_SECONDS = 60.0
"""What is still to come of a capture, at most."""
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _seconds(value: object) -> object:
    # `1m30s` is read here; a number, or what is neither, is for pydantic to judge.
    if isinstance(value, bool):
        raise ValueError("must be a number of seconds or a text such as 90s or 1m30s")
    return parse_duration(value).total_seconds() if isinstance(value, str) else value


def _rfc_3339(value: object) -> object:
    # pydantic takes more, such as a number or a text of digits for seconds since 1970
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 of UTC") from error


class AlsoText:
    """Says in the schema that a number of seconds may be a text that `parse_duration` reads."""

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        text = {"type": "string", "pattern": f"^(?:{PATTERN})$", "examples": ["30s", "1m30s"]}
        return {"anyOf": [handler(schema), text]}


Seconds = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, examples=[30]),
    BeforeValidator(_seconds),
    AlsoText(),
]
PostRoll = Annotated[
    float,
    Field(ge=0, le=POST_ROLL_SECONDS, allow_inf_nan=False, examples=[10]),
    BeforeValidator(_seconds),
    AlsoText(),
]
PlaySeconds = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False, examples=[2.5]),
    BeforeValidator(_seconds),
    AlsoText(),
]
"""Of a clip, in seconds of its play time."""
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc_3339),
    AfterValidator(_utc),
    Field(examples=["2026-11-03T10:15:00Z"]),
]
Name = Annotated[str, Field(min_length=1, max_length=1024, examples=["studio"])]
