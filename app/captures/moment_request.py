"""The request of a moment: one window of all shares of a room. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from app.captures.requests import WindowRequest
from app.models.input_types import Name

_EXAMPLES: list[JsonValue] = [
    {"last": "30s"},
    {"last": 60, "post_roll": "10s", "title": "That goal"},
    {"start": "2026-11-03T10:14:00Z", "end": "2026-11-03T10:15:00Z"},
]


RoomSidGiven = Annotated[
    Name | None,
    Field(
        description="Only of the room with this id. Without: of rooms that had the name one after "
        "another the one of the newest share that the caller may see.",
        examples=["RM_x1"],
    ),
]


class MomentRequest(WindowRequest):
    """Which part of all shares of a room to capture; `last` counts back from the call, for each."""

    model_config = ConfigDict(json_schema_extra={"examples": _EXAMPLES})

    room_sid: RoomSidGiven = None
