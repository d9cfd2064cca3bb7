"""Clips posted in the chat: /clips/{id}/share."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import Field
from starlette.routing import BaseRoute

from app.api.call import Call
from app.api.json_types import Id
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import IDEMPOTENCY_KEY, View
from app.clips import sharing
from app.clips.share_request import ShareRequest
from app.errors import Conflict, NotFound, NotPermitted
from app.events import outbox


class MessageView(View):
    """What the chat is asked to post."""

    text: str = Field(description="What is written.", examples=["🎬 Replay captured (1 min)"])
    attachments: list[Id] = Field(description="Files to attach: what `/v1/files/{file_id}` reads.")


class ShareView(View):
    """The event `clip_shared` that is on its way."""

    event_id: str = Field(
        description="Its id.",
        serialization_alias="event",
        examples=["clip_shared:5f0c2d9e8b7a4c31d2e6f901:3f1a"],
    )
    channel_id: str = Field(description="The chat's own id of the channel.", examples=["general"])
    message: MessageView = Field(description="The message to post.")


@endpoint(
    "POST /clips/{clip_id}/share",
    "Post a clip in the chat",
    description="Sends the event `clip_shared`, with the message to post, to EVENTS_URL and to "
    "those of EVENTS_TARGETS that want it, and into the live room. Refused where no target wants "
    "it. Who may see the clip stays as it is.",
    answers={HTTPStatus.ACCEPTED: Answer("It is on its way.")},
    problems=[Conflict, NotFound, NotPermitted, outbox.NoEventsUrl],
    headers={IDEMPOTENCY_KEY: "The same key again is the same event; with another body it is 409."},
    kept=Kept.MESSAGE,
)
async def share_clip(call: Call[ShareRequest]) -> ShareView:
    """Asks the chat to post a clip."""
    sent = await sharing.share(
        call.ctx,
        call.caller,
        call.path["clip_id"],
        call.input,
        call.idempotency_key,
    )
    message = MessageView(text=sent.text, attachments=list(sent.attachments))
    return ShareView(event_id=sent.event_id, channel_id=sent.channel_id, message=message)


routes: list[BaseRoute] = [share_clip]
