"""Clips posted in the chat: /clips/{id}/share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api import auth, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input, View
from app.captures.requests import TEXT_LENGTH, Name, clean_text
from app.clips import sharing
from app.errors import NotFound, NotPermitted


class ShareRequest(Input):
    """Which channel of the chat a clip is posted in, and with which words."""

    channel_id: Name
    text: Annotated[str, Field(max_length=TEXT_LENGTH)] | None = Field(
        None, description="Default: `🎬 Replay captured (N min)`."
    )

    @field_validator("text")
    @classmethod
    def _text(cls, value: str | None) -> str | None:
        return value if value is None else clean_text(value)


class MessageView(View):
    """What the chat is asked to post."""

    text: str
    attachments: list[str]


class ShareView(View):
    """The event `clip_shared` that is on its way."""

    event: str
    channel_id: str
    message: MessageView


@described(
    Operation(
        summary="Post a clip in the chat",
        description="Sends the event `clip_shared`, with the message to post, to EVENTS_URL and "
        "into the live room. Refused where no EVENTS_URL is set. Who may see the clip "
        "stays as it is.",
        answers={HTTPStatus.ACCEPTED: Answer("It is on its way.", ShareView)},
        problems=[NotFound, NotPermitted, sharing.NoEventsUrl],
        body=ShareRequest,
        headers={wire.IDEMPOTENCY_KEY: "The same key again is the same event."},
    )
)
async def share_clip(request: Request) -> Response:
    """POST /clips/{clip_id}/share"""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    key = wire.idempotency_key(request)
    asked = await wire.body(request, ShareRequest)
    clip_id = request.path_params["clip_id"]
    sent = await sharing.share(ctx, caller, clip_id, asked.channel_id, asked.text, key)
    message = MessageView(text=sent.text, attachments=list(sent.attachments))
    answer = ShareView(event=sent.event_id, channel_id=sent.channel_id, message=message)
    return wire.answer(answer, HTTPStatus.ACCEPTED)


routes: list[BaseRoute] = [Route("/clips/{clip_id}/share", share_clip, methods=["POST"])]
