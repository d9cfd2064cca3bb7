"""Our own short-lived tokens: /session."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.issue import issue_session
from app.api import auth, wire
from app.api.openapi import Answer, Operation, described
from app.api.wire import Instant, Told


class SessionTold(Told):
    """A token with the same rights, of this service only, and whose they are."""

    token: str = Field(description="For `Authorization: Bearer`.")
    expires_at: Instant
    renewable_until: Instant = Field(description="Until then POST /session takes this one too.")
    identity: str
    room: str | None = Field(description="The only room it is good for; null: all.")
    room_admin: bool
    instance_admin: bool


@described(
    Operation(
        summary="Exchange a LiveKit token for one of ours",
        description="For pages that stay open longer than a LiveKit token lives. Takes a token of "
        "ours as well, and renews it.",
        answers={HTTPStatus.OK: Answer("The token.", SessionTold)},
    )
)
async def post_session(request: Request) -> Response:
    """POST /session"""
    caller = auth.caller(request)
    session = issue_session(request.app.state.settings, caller, datetime.now(UTC))
    told = SessionTold(
        token=session.token,
        expires_at=session.expires_at,
        renewable_until=session.renewable_until,
        identity=caller.identity,
        room=caller.room,
        room_admin=caller.room_admin,
        instance_admin=caller.instance_admin,
    )
    return wire.answer(told)


routes: list[BaseRoute] = [Route("/session", post_session, methods=["POST"])]
