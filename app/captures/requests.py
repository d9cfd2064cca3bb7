"""The request of a capture: what a caller may ask for. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.captures.durations import PATTERN, parse_duration
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
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc_3339),
    AfterValidator(_utc),
    Field(examples=["2026-11-03T10:15:00Z"]),
]
Name = Annotated[str, Field(min_length=1, max_length=1024, examples=["studio"])]
_EXAMPLES: list[JsonValue] = [
    {"room": "studio", "last": "30s"},
    {"room": "studio", "sharer": "alice", "last": 120, "post_roll": "10s", "title": "That goal"},
    {
        "buffer_id": "5f0c2d9e8b7a4c31d2e6f901",
        "start": "2026-11-03T10:14:00Z",
        "end": "2026-11-03T10:15:00Z",
        "cut": Cut.EXACT,
    },
]


class CaptureRequest(BaseModel):
    """What to capture: which share, and which part of it.

    The share is `buffer_id`, or `room` with `sharer` and `track_sid`. The window is `last`, or
    `start` and `end`. Lengths are seconds, or texts such as `90s` and `1m30s`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        json_schema_extra={"examples": _EXAMPLES},
    )

    room: Name | None = Field(default=None, description="The room in which the screen is shared.")
    sharer: Name | None = Field(
        default=None,
        description="Whose screen; default: the caller's.",
        examples=["alice"],
        alias="identity",
    )
    track_sid: Name | None = Field(
        default=None,
        description="The sid of the share's video track; default: their newest share in the room.",
        examples=["TR_VSyQ3jGhPvLd2u"],
        alias="share",
    )
    buffer_id: Name | None = Field(
        default=None,
        description="The id of the share's buffer, in place of room, sharer and track_sid.",
        examples=["5f0c2d9e8b7a4c31d2e6f901"],
        alias="buffer",
    )
    last: Seconds | None = Field(
        default=None,
        description="The last so many seconds before the call; a number, or `30s`, `2m`.",
    )
    start: Instant | None = Field(
        default=None, description="Where the window begins, with `end`; in place of `last`."
    )
    end: Instant | None = Field(
        default=None, description="Where it ends: later than `start`, and not in the future."
    )
    post_roll: PostRoll = Field(
        default=0.0,
        description="And so many seconds that are still to come, at most 60.",
    )
    tail: Tail = Field(
        default=Tail.INCLUDE,
        description="What `last` counts back from: `include`, the moment of the call, for whose "
        "media the capture waits some seconds; `skip`, the newest media that is there.",
    )
    cut: Cut = Field(
        default=Cut.PRECISE,
        description="`precise`: on the frame, by an edit list, copied; `segment`: whole segments; "
        "`exact`: on the frame, and what was cut off is not in the file.",
    )
    gaps: Gaps = Field(
        default=Gaps.SKIP,
        description="Pauses between recordings: `skip` leaves them out, `keep` holds the picture.",
    )
    title: str = Field(
        default="",
        description=f"One line, at most {TITLE_LENGTH} characters.",
        examples=["That goal"],
    )

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
        if self.buffer_id is not None:
            if any(each is not None for each in (self.room, self.sharer, self.track_sid)):
                raise ValueError(
                    "give either buffer_id, or room with sharer and track_sid, not both"
                )
        elif self.room is None:
            raise ValueError("say whose share: room (with sharer, track_sid), or buffer_id")
        if self.last is not None:
            if self.start is not None or self.end is not None:
                raise ValueError("give either last, or start and end, not both")
        elif self.start is None or self.end is None:
            raise ValueError("say which part: last, or both start and end")
        return self

    @property
    def hash(self) -> str:
        """Equal for requests that ask for the same: what an Idempotency-Key is compared by.

        Rows that have it may be of the release before, which had the names of before the version.
        """
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
