"""What goes on in a room at one instant, as callers are shown it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from app.api import capture_views, json_types
from app.api.buffer_views import BufferTimeline
from app.api.call import Call
from app.api.capture_views import Accepted, promised
from app.api.clip_views import Requested
from app.api.json_types import Id, Identity, InstantText, RoomName
from app.api.wire import View
from app.captures.moments import AcceptedMoment, Refused

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
        description="Whether these are all; of more than 50 those that were recorded come first."
    )


class MomentCapture(Accepted):
    """A capture of one of the shares."""

    buffer_id: Id = Field(description="The share that it is cut from.")
    sharer: Identity = Field(description="Whose screen it shows.", serialization_alias="identity")


class MomentRefusal(View):
    """A share that is not captured, and the problem that a capture of it alone would meet."""

    buffer_id: Id = Field(description="Which share.")
    sharer: Identity = Field(description="Whose screen it is.", serialization_alias="identity")
    type: str = Field(description="Of the problem.", examples=["buffer-empty"])
    title: str = Field(description="What it is called.", examples=["Nothing recorded yet"])
    detail: json_types.Text = Field(description="What is wrong, and what to do.")


class MomentAccepted(View):
    """Captures of one window, which belong together."""

    moment_id: Id = Field(description="Finds their clips: give it to `GET /v1/clips`.")
    room: RoomName
    room_sid: RoomSid
    window: Requested = Field(description="The window of all of them, before `post_roll`.")
    captures: list[MomentCapture] = Field(description="Those that will be made, at least one.")
    refused: list[MomentRefusal] = Field(description="Shares of which there will be no clip.")
    complete: bool = Field(
        description="Whether all shares of the room were tried; of more than 50 those that go on "
        "come first, and nothing is captured of the others."
    )


async def moment_accepted(call: Call[Any], room: str, found: AcceptedMoment) -> MomentAccepted:
    """A moment as who asked for it is shown it."""
    moment = found.moment
    return MomentAccepted(
        moment_id=moment.id,
        room=room,
        room_sid=moment.room_sid,
        window=Requested(start=moment.start, end=moment.end),
        captures=[
            MomentCapture(
                **promised(call, row),
                playlist_url=await capture_views.playlist_url(call, row),
                buffer_id=row["buffer_id"],
                sharer=row["identity"],
            )
            for row in found.captures
        ],
        refused=_refusals(found.refused),
        complete=found.complete,
    )


def _refusals(refused: Sequence[Refused]) -> list[MomentRefusal]:
    return [
        MomentRefusal(
            buffer_id=each.buffer_id,
            sharer=each.sharer,
            type=each.error.slug,
            title=each.error.title,
            detail=each.error.detail,
        )
        for each in refused
    ]
