"""What our own events say, field by field. Pure."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from app.models import Action, ClipLoss, EncodingWhy, EventName, FailureReason, Role, Why
from app.models.word_schema import words

_Id = Annotated[str, Field(examples=["5f0c2d9e8b7a4c31d2e6f901"])]
_Identity = Annotated[str, Field(examples=["alice"])]
_Instant = Annotated[
    str,
    Field(examples=["2026-11-03T12:00:00.000+00:00"], json_schema_extra={"format": "date-time"}),
]
_Bytes = Annotated[int, Field(examples=[34_700_000])]


class EventContent(BaseModel):
    """What an event says besides its name and its room.

    The alias of a member is its name in rows, and in the shape of LiveKit's webhooks, which keeps
    the names of before /v1.
    """

    model_config = ConfigDict(frozen=True, validate_by_name=True, defer_build=True)

    event: ClassVar[EventName]

    community: str = Field(description="The community that it belongs to.", examples=["default"])

    @property
    def data(self) -> dict[str, Any]:
        """As the event's row holds it."""
        return self.model_dump(mode="json", by_alias=True)


class BufferStartedContent(EventContent):
    """A share is being recorded; `participant` is the sharer."""

    event = EventName.BUFFER_STARTED

    buffer_id: _Id = Field(description="Names the share in paths.")


class BufferEndedContent(BufferStartedContent):
    """A share that was recorded is over; `participant` is the sharer."""

    event = EventName.BUFFER_ENDED


class BufferRefusedContent(BufferStartedContent):
    """A share is not recorded; `participant` is the sharer."""

    event = EventName.BUFFER_REFUSED

    why: Annotated[str, words(Why)] = Field(description="Why it is not.")


class BufferEncodingContent(BufferStartedContent):
    """A share goes on in another encoding; `participant` is the sharer."""

    event = EventName.BUFFER_ENCODING

    encoding: str = Field(
        description="What it is recorded in now, as ENCODING names it.",
        examples=["1280x720@15:1500"],
    )
    why: Annotated[str, words(EncodingWhy)] | None = Field(
        description="Why that is not what is configured; null: it is."
    )


class BufferErasedContent(BufferStartedContent):
    """What is kept of a share, or its last part, was deleted; `participant` is the sharer."""

    event = EventName.BUFFER_ERASED

    erased_by: _Identity = Field(description="Who had it deleted: the sharer, or an admin.")
    start: _Instant | None = Field(
        description="Where what was deleted begins; null: with the share."
    )
    end: _Instant = Field(description="Where it ends.")


class _CaptureContent(EventContent):
    capture_id: _Id = Field(description="Names the capture in paths.")
    buffer_id: _Id = Field(description="The share that it is cut from.")
    sharer: _Identity = Field(description="Whose screen it shows.", alias="shared_by")
    title: str = Field(description="One line; may be empty.", examples=["That goal"])
    moment_id: _Id | None = Field(
        default=None, description="Of all that were asked for together; null: of it alone."
    )


class CaptureReadyContent(_CaptureContent):
    """A capture has become a clip; `participant` is who captured it."""

    event = EventName.CAPTURE_READY

    clip_id: _Id = Field(description="Names the clip in paths.")
    file_id: _Id = Field(description="Names its file in paths.")
    duration_seconds: float = Field(
        description="How long it plays.", examples=[30.0], alias="duration"
    )


class ScreenCapturedContent(BufferStartedContent):
    """Somebody else has made a clip of a share; `participant` is the sharer, whom it shows."""

    event = EventName.SCREEN_CAPTURED

    clip_id: _Id = Field(description="Names the clip, which its owner alone sees at first.")
    captured_by: _Identity = Field(description="Who made it, and whose it is.")
    start: _Instant = Field(description="Where its window begins.")
    end: _Instant = Field(description="Where it ends.")


class CaptureFailedContent(_CaptureContent):
    """A capture could not be made; `participant` is who asked for it."""

    event = EventName.CAPTURE_FAILED

    reason: Annotated[str, words(FailureReason)] = Field(description="Why it could not.")
    detail: str = Field(description="The same in words.", examples=["no picture came in time"])


class QuotaExceededContent(_CaptureContent):
    """A capture was refused for want of quota; `participant` is who asked for it."""

    event = EventName.QUOTA_EXCEEDED

    quota_bytes: _Bytes = Field(description="What is allowed.")
    used_bytes: _Bytes = Field(description="What their clips take.")
    reserved_bytes: _Bytes = Field(description="What their captures on their way hold.")
    needed_bytes: _Bytes = Field(description="What this one would need.")


class RoleChangedContent(EventContent):
    """A user, who is `participant`, has got another role or other grants. It has no room."""

    event = EventName.ROLE_CHANGED

    role: Annotated[str, words(Role)] = Field(description="What they are there now.")
    grants: list[str] = Field(
        description="What they may do there besides what their role may.",
        examples=[[Action.CAPTURE_REPLAY]],
    )
    changed_by: _Identity = Field(description="Who gave it.")


class ChatMessage(BaseModel):
    """What the chat is asked to post."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="What is written.", examples=["🎬 Replay captured (1 min)"])
    attachments: list[_Id] = Field(description="Files to attach, by their `file_id`.")


class ClipSharedContent(EventContent):
    """A user, who is `participant`, posts a clip."""

    event = EventName.CLIP_SHARED

    clip_id: _Id = Field(description="Names the clip in paths.")
    file_id: _Id = Field(description="Names its file in paths.")
    title: str = Field(description="One line; may be empty.", examples=["That goal"])
    sharer: _Identity = Field(description="Whose screen it shows.", alias="shared_by")
    duration_seconds: float = Field(
        description="How long it plays.", examples=[30.0], alias="duration"
    )
    channel_id: str = Field(description="The chat's own id of a channel.", examples=["general"])
    message: ChatMessage = Field(description="The message to post there.")


class _OwnersContent(EventContent):
    clip_id: _Id = Field(description="Names the clip in paths.")
    buffer_id: _Id = Field(description="The share that it was cut from.")
    sharer: _Identity = Field(description="Whose screen it shows.", alias="shared_by")
    title: str = Field(description="One line; may be empty.", examples=["That goal"])


class ClipWithdrawnContent(_OwnersContent):
    """Somebody else has closed or deleted a clip; `participant` is its owner."""

    event = EventName.CLIP_WITHDRAWN

    withdrawn_by: _Identity = Field(
        description="Who: whom it shows, or an admin of its room or of the instance."
    )
    loss: Annotated[str, words(ClipLoss)] = Field(
        description="`closed`: it is private, and stays so until they let it be opened again."
    )


class DeletionRequestedContent(_OwnersContent):
    """A clip's owner, who is `participant`, is asked to delete it."""

    event = EventName.DELETION_REQUESTED

    requested_by: _Identity = Field(description="Who asks: whom it shows, or an admin of its room.")
    reason: str = Field(description="Why, in their words; may be empty.", examples=["a password"])


class PingContent(EventContent):
    """Nothing has happened: an admin, who is `participant`, tries whether events arrive.

    It belongs to no room, and its `community` is empty.
    """

    event = EventName.PING

    community: str = Field(default="", description="Empty: it belongs to none.", examples=[""])


CONTENTS: dict[str, type[EventContent]] = {
    each.event: each
    for each in (
        BufferStartedContent,
        BufferEndedContent,
        BufferRefusedContent,
        BufferEncodingContent,
        BufferErasedContent,
        CaptureReadyContent,
        ScreenCapturedContent,
        CaptureFailedContent,
        QuotaExceededContent,
        RoleChangedContent,
        ClipSharedContent,
        ClipWithdrawnContent,
        DeletionRequestedContent,
        PingContent,
    )
}
"""What an event says, by its name."""
