"""What goes on in a room at one instant, as callers are shown it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.buffer_views import BufferTimeline
from app.api.json_types import InstantText, RoomName
from app.api.wire import View

RoomSid = Annotated[
    str,
    Field(
        description="LiveKit's id of the room: a later one of the same name has another.",
        examples=["RM_x1"],
    ),
]


class RoomTimeline(View):
    """The shares of a room that the caller may see, on one wall clock."""

    room: RoomName
    room_sid: RoomSid
    now: InstantText = Field(description="What the service's clock says.")
    items: list[BufferTimeline] = Field(description="Newest share first.")
    complete: bool = Field(
        description="Whether these are all; of more than 50 those that go on come first."
    )
