"""The request of a capture: what a caller may ask for. Pure."""

from __future__ import annotations

from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.models import Cut, Gaps, Tail, instants
from app.models.free_text import TITLE_LENGTH, checked_title
from app.models.input_types import Instant, Name, PostRoll, Seconds

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


class _ShareNamed(BaseModel):
    """The members that say which share."""

    room: Name | None = Field(default=None, description="The room in which the screen is shared.")
    sharer: Name | None = Field(
        default=None,
        description="Whose screen; default: the caller's.",
        examples=["alice"],
        alias="identity",
    )
    track_sid: Name | None = Field(
        default=None,
        description=(
            "The sid of a video track that the share has or had; default: their newest share in "
            "the room."
        ),
        examples=["TR_VSyQ3jGhPvLd2u"],
        alias="share",
    )
    buffer_id: Name | None = Field(
        default=None,
        description="The id of the share's buffer, in place of room, sharer and track_sid.",
        examples=["5f0c2d9e8b7a4c31d2e6f901"],
        alias="buffer",
    )

    @model_validator(mode="after")
    def _one_share(self) -> Self:
        if self.buffer_id is not None:
            if any(each is not None for each in (self.room, self.sharer, self.track_sid)):
                raise ValueError(
                    "give either buffer_id, or room with sharer and track_sid, not both"
                )
        elif self.room is None:
            raise ValueError("say whose share: room (with sharer, track_sid), or buffer_id")
        return self


class WindowRequest(BaseModel):
    """The members that say which part of a share, and how the clip of it is made.

    The window is `last`, or `start` and `end`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, defer_build=True)

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
            raise ValueError(f"must be later than start, {instants.written(start)}")
        return value

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if self.last is not None:
            if self.start is not None or self.end is not None:
                raise ValueError("give either last, or start and end, not both")
        elif self.start is None or self.end is None:
            raise ValueError("say which part: last, or both start and end")
        return self


class CaptureRequest(WindowRequest, _ShareNamed):
    """What to capture: which share, and which part of it.

    The share is `buffer_id`, or `room` with `sharer` and `track_sid`. The window is `last`, or
    `start` and `end`. Lengths are seconds, or texts such as `90s` and `1m30s`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": _EXAMPLES})
