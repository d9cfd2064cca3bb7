"""The request to post a clip in the chat: where, and with which words. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.models.free_text import TEXT_LENGTH, clean_text

CHANNEL_LENGTH = 256


class ShareRequest(BaseModel):
    """Which channel of the chat a clip is posted in, and with which words."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"channel_id": "general"}]},
    )

    channel_id: Annotated[str, Field(min_length=1, max_length=CHANNEL_LENGTH)] = Field(
        description="The chat's own id of the channel.", examples=["general"]
    )
    text: Annotated[str, Field(max_length=TEXT_LENGTH)] | None = Field(
        None,
        description="What is written beside it; default: `🎬 Replay captured (N min)`.",
        examples=["Look at that"],
    )

    @field_validator("text")
    @classmethod
    def _text(cls, value: str | None) -> str | None:
        return value if value is None else clean_text(value)
