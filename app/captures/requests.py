"""The request of a capture: what a caller may ask for. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.captures.durations import parse_duration
from app.models import Cut, Gaps, Tail

TITLE_LENGTH = 200
TEXT_LENGTH = 2000
POST_ROLL_SECONDS = 60.0
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text around them: a title must not reorder a page."""


def clean_title(text: str) -> str:
    """The title on one line: no control characters, no direction marks, no doubled spaces."""
    spaced = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join("".join(char for char in spaced if char not in _BIDI).split())


def clean_text(text: str) -> str:
    """The text of a message: lines stay, other control characters and direction marks go."""
    lines = (clean_title(line) for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines).strip()


def checked_title(text: str) -> str:
    """The cleaned title. ValueError if more than TITLE_LENGTH characters are left."""
    title = clean_title(text)
    if len(title) > TITLE_LENGTH:
        raise ValueError(f"has {len(title)} characters; at most {TITLE_LENGTH} are kept")
    return title


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


Seconds = Annotated[float, BeforeValidator(_seconds), Field(allow_inf_nan=False)]
Instant = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), AfterValidator(_utc)]
Name = Annotated[str, Field(min_length=1, max_length=1024)]


class CaptureRequest(BaseModel):
    """What POST /captures takes. Lengths are seconds, or texts such as `90s` and `1m30s`.

    The share is `buffer`, or `room` with `identity` (default: the caller) and `share`, the sid of
    its video track (default: the newest). The window is `last`, or `start` and `end`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    room: Name | None = None
    identity: Name | None = None
    share: Name | None = None
    buffer: Name | None = None
    last: Annotated[Seconds, Field(gt=0)] | None = None
    start: Instant | None = None
    end: Instant | None = None
    post_roll: Annotated[Seconds, Field(ge=0, le=POST_ROLL_SECONDS)] = 0.0
    tail: Tail = Tail.INCLUDE
    cut: Cut = Cut.PRECISE
    gaps: Gaps = Gaps.SKIP
    title: str = ""

    @field_validator("title")
    @classmethod
    def _title(cls, value: str) -> str:
        return checked_title(value)

    @field_validator("end")
    @classmethod
    def _forward(cls, value: object, info: ValidationInfo) -> object:
        start = info.data.get("start")
        if value is not None and start is not None and value <= start:
            raise ValueError(f"must be later than start, {start.isoformat()}")
        return value

    @model_validator(mode="after")
    def _one_share_and_one_window(self) -> Self:
        if self.buffer is not None:
            if self.room is not None or self.identity is not None or self.share is not None:
                raise ValueError("give either buffer, or room with identity and share, not both")
        elif self.room is None:
            raise ValueError("say whose share: room (with identity, share), or buffer")
        if self.last is not None:
            if self.start is not None or self.end is not None:
                raise ValueError("give either last, or start and end, not both")
        elif self.start is None or self.end is None:
            raise ValueError("say which part: last, or both start and end")
        return self

    @property
    def hash(self) -> str:
        """Equal for requests that ask for the same: what an Idempotency-Key is compared by."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
