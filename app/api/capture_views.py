"""Captures as callers are shown them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from app.api import json_types, share_lookup
from app.api.auth import Reader
from app.api.call import Call
from app.api.clip_views import ClipView, CutWord, Notes, Requested
from app.api.json_types import Id, Identity, InstantText, MediaUrl, MomentId, RoomName, Told
from app.api.operation import Answer
from app.api.wire import View
from app.models import CaptureRow, CaptureStage, CaptureStatus, FailureReason
from app.models.word_schema import words

SAME_CAPTURE = "The same key within 24 h gives the same capture: 1 to 200 visible ASCII characters."
"""What an Idempotency-Key does."""
WILL_BE_MADE = {
    HTTPStatus.ACCEPTED: Answer("It will be made.", headers={"Location": "Where to ask for it."})
}
"""What is answered to who asks for a capture, beside problems."""

# One that is being accepted is shown to nobody.
StatusWord = Annotated[
    str,
    words(*(each for each in CaptureStatus if each != CaptureStatus.ACCEPTING)),
    Field(description="How far the capture is."),
]
_EVENTS_URL = Field(
    description="Its event stream, for a browser's `EventSource`, which can send no token.",
    examples=["/v1/captures/5f0c2d9e8b7a4c31d2e6f901/events?exp=1793704800&sig=3f1a"],
)


class Promised(View):
    """A capture that will be made."""

    id: Id = Field(description="Names the capture in paths.")
    status: StatusWord
    clip_id: Id = Field(description="Names the clip, once it is ready.")
    events_url: MediaUrl = _EVENTS_URL
    capture_url: Annotated[str, Told(format="uri-reference")] = Field(
        description="Where to ask for it, as the header Location has it.",
        serialization_alias="Location",
        examples=["/v1/captures/5f0c2d9e8b7a4c31d2e6f901"],
    )


class Accepted(Promised):
    """A capture of a share that will be made."""

    playlist_url: MediaUrl = Field(
        description="HLS of what is there of it: can be watched at once.",
        serialization_alias="playlist",
    )


class Progress(View):
    """How far a capture is."""

    status: StatusWord
    stage: Annotated[str, words(CaptureStage)] = Field(
        description="What is done right now; empty where nothing is."
    )
    progress: Annotated[float, Told(minimum=0, maximum=1)] = Field(
        description="How much of it is done.", examples=[0.5]
    )
    reason: Annotated[str, words(FailureReason)] | None = Field(
        description="Why it failed; null if it did not.", examples=[None]
    )
    detail: json_types.Text = Field(description="The same in words.")
    clip: ClipView | None = Field(
        description="Once it is ready; null before, and after it was deleted.", examples=[None]
    )


class CaptureView(Progress):
    """A capture: what was asked for, and how far it is."""

    id: Id = Field(description="Names it in paths.")
    clip_id: Id = Field(description="Names the clip, once it is ready.")
    buffer_id: Id = Field(
        description="The share that it is cut from.", serialization_alias="buffer"
    )
    room: RoomName
    sharer: Identity = Field(description="Whose screen it shows.", serialization_alias="identity")
    trimmed_from: Id | None = Field(
        description="The clip that it is a part of; null if it is cut from the share itself.",
        examples=[None],
    )
    moment_id: MomentId
    title: json_types.Title = Field(description="One line; may be empty.")
    cut: CutWord
    requested: Requested = Field(description="The window that was asked for.")
    window: Requested = Field(description="What of it could be had when it was accepted.")
    notes: Notes
    playlist_url: MediaUrl = Field(
        description="HLS of its window, as long as the buffer holds that; of a trim 410.",
        serialization_alias="playlist",
    )
    events_url: MediaUrl = _EVENTS_URL
    accepted_at: InstantText = Field(description="When it was accepted.")
    finished_at: InstantText | None = Field(
        description="When it was over; null until then.", examples=[None]
    )


class CaptureEvent(View):
    """A server-sent event of a capture's stream."""

    event: Annotated[str, json_types.only("capture")] = Field(description="Its name.")
    data: Annotated[Progress, json_types.AsText()] = Field(description="The whole state, as JSON.")


def promised(call: Call[Any], row: CaptureRow) -> dict[str, Any]:
    """The fields of Promised."""
    return {
        "id": row["_id"],
        "status": row["status"],
        "clip_id": row["clip_id"],
        "events_url": events_url(call.reader, row["_id"]),
        "capture_url": call.sibling(f"/captures/{row['_id']}"),
    }


async def playlist_url(call: Call[Any], row: CaptureRow) -> str:
    """The playlist of what is there of a capture of a share, signed."""
    reader = await share_lookup.reader_of(call, row["identity"])
    return reader.url(f"/captures/{row['_id']}/playlist.m3u8")


def events_url(reader: Reader, capture_id: str) -> str:
    """The event stream of a capture, signed."""
    return reader.url(f"/captures/{capture_id}/events")
