"""Our own short-lived tokens, and what a token is good for: /session."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import standing
from app.access.issue import issue_session
from app.access.tokens import Caller
from app.api import auth, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import InstantText, RoundedSeconds, View
from app.captures.requests import POST_ROLL_SECONDS, TEXT_LENGTH, TITLE_LENGTH
from app.clips.library import RESTORE_SECONDS


class StandingView(View):
    """What the caller is in a community."""

    id: str
    role: str
    grants: list[str]
    manages: bool = Field(description="Whether they may change its rules and members.")


class LimitsView(View):
    """What holds in this instance, where a community has no rules of its own."""

    max_capture_seconds: RoundedSeconds
    retention_seconds: RoundedSeconds
    marker_minutes: float
    clip_days: float | None = Field(description="null: clips do not expire.")
    capture_policy: str
    access: str
    events: bool = Field(description="Whether a chat is told of clips that are shared.")
    title_length: int = Field(description="Characters that a clip's title may have.")
    text_length: int = Field(description="Characters of the words that a clip is shared with.")
    post_roll_seconds: RoundedSeconds = Field(description="What is to come of it, at most.")
    restore_seconds: RoundedSeconds = Field(description="In which a deleted clip comes back.")


class CallerView(View):
    """Whose a token is, what they may do, and how much."""

    expires_at: InstantText | None = Field(description="When the token does.")
    identity: str
    room: str | None = Field(description="The only room it is good for; null: all.")
    room_admin: bool
    instance_admin: bool
    communities: list[StandingView] = Field(
        description="Those where the caller has a role, a grant, or manages; at most 200."
    )
    limits: LimitsView


class SessionView(CallerView):
    """A token with the same rights, of this service only, and whose they are."""

    token: str = Field(description="For `Authorization: Bearer`.")
    renewable_until: InstantText = Field(description="Until then POST /session takes this one too.")


@described(
    Operation(
        summary="Exchange a LiveKit token for one of ours",
        description="For pages that stay open longer than a LiveKit token lives. Takes a token of "
        "ours as well, and renews it.",
        answers={HTTPStatus.OK: Answer("The token.", SessionView)},
    )
)
async def post_session(request: Request) -> Response:
    """POST /session"""
    caller = auth.caller(request)
    told = await _told(request, caller)
    session = issue_session(web_state.of(request).ctx.settings, caller, datetime.now(UTC))
    mine = {"expires_at": session.expires_at, "token": session.token}
    mine["renewable_until"] = session.renewable_until
    return wire.answer(SessionView.model_validate(told | mine))


@described(
    Operation(
        summary="What the caller's token is good for",
        answers={HTTPStatus.OK: Answer("As it is now.", CallerView)},
    )
)
async def get_session(request: Request) -> Response:
    """GET /session"""
    return wire.answer(CallerView.model_validate(await _told(request, auth.caller(request))))


async def _told(request: Request, caller: Caller) -> dict[str, Any]:
    """The members of CallerView."""
    ctx = web_state.of(request).ctx
    settings = ctx.settings
    found = await standing.standings(ctx.store, settings, caller)
    limits = LimitsView(
        max_capture_seconds=settings.max_capture.total_seconds(),
        retention_seconds=settings.retention.total_seconds(),
        marker_minutes=settings.marker_minutes,
        clip_days=settings.clip_days or None,
        capture_policy=settings.capture_policy,
        access=settings.access,
        events=bool(settings.events_url),
        title_length=TITLE_LENGTH,
        text_length=TEXT_LENGTH,
        post_roll_seconds=POST_ROLL_SECONDS,
        restore_seconds=RESTORE_SECONDS,
    )
    return {
        "expires_at": caller.expires_at,
        "identity": caller.identity,
        "room": caller.room,
        "room_admin": caller.room_admin,
        "instance_admin": caller.instance_admin,
        "communities": [StandingView.model_validate(asdict(each)) for each in found],
        "limits": limits,
    }


routes: list[BaseRoute] = [
    Route("/session", post_session, methods=["POST"]),
    Route("/session", get_session, methods=["GET"]),
]
