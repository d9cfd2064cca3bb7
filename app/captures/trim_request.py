"""The request of a trim: which part of a clip becomes another one. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.models import Cut
from app.models.free_text import TITLE_LENGTH, checked_title
from app.models.input_types import PlaySeconds, Seconds


class TrimRequest(BaseModel):
    """Which part of the clip, in seconds of its play time; numbers, or texts such as `1m30s`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        json_schema_extra={
            "examples": [
                {"start": 2.5, "end": "10s"},
                {"start": 4, "cut": Cut.EXACT},
                {"end": 8, "in_place": True},
            ]
        },
    )

    start: PlaySeconds = Field(default=0.0, description="Where it begins.")
    end: Seconds | None = Field(
        default=None,
        description="Where it ends, later than `start`; default: where the clip does.",
        examples=[10],
    )
    cut: Literal[Cut.PRECISE, Cut.EXACT] = Field(
        default=Cut.PRECISE,
        description="`precise`: copied, with what lies between a key frame and the start hidden; "
        "`exact`: nothing of what was cut off is in the file. A clip that was encoded whole is cut "
        "exactly whatever is asked.",
    )
    title: str | None = Field(
        default=None,
        description=f"One line, at most {TITLE_LENGTH} characters; default: the clip's.",
        examples=["That goal"],
    )

    in_place: bool = Field(
        default=False,
        # What an Idempotency-Key is compared by is as it was in the release without this.
        exclude_if=lambda value: not value,
        description="Whether it takes the clip's place once it is ready: it is kept as the clip "
        "is, and open to whom the clip is; the clip's link leads to it. The clip is deleted then, "
        "and can be restored in the trim's place.",
    )

    @field_validator("title")
    @classmethod
    def _title(cls, value: str | None) -> str | None:
        return None if value is None else checked_title(value)
