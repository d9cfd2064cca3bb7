"""Our own short-lived tokens, and what a token is good for: /session."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import audit, generations, standing
from app.access.generations import Endable
from app.access.token_issue import issue_session
from app.api import gates
from app.api.call import Call
from app.api.community_views import AccessWord, GrantWords, PolicyWord, RoleWord
from app.api.json_types import CommunityName, Identity, InstantText, RoundedSeconds
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import View
from app.clips import orphans
from app.errors import Invalid, NotFound
from app.models import AuditAction
from app.models.free_text import TEXT_LENGTH, TITLE_LENGTH
from app.models.input_types import POST_ROLL_SECONDS


class StandingView(View):
    """What the caller is in a community."""

    id: CommunityName = Field(description="Which community.")
    role: RoleWord
    grants: GrantWords
    manages: bool = Field(description="Whether they may change its limits.")
    administrates: bool = Field(
        description="Whether they may change its members and policies, too."
    )


class LimitsView(View):
    """What holds in this instance, where a community has no rules of its own."""

    max_capture_seconds: RoundedSeconds = Field(
        description="How long a capture may be.", examples=[600.0]
    )
    retention_seconds: RoundedSeconds = Field(description="How long media stays.", examples=[720.0])
    marker_minutes: float = Field(
        description="How long what is around a marker stays.", examples=[30.0]
    )
    clip_days: float | None = Field(
        description="After how many days clips expire; null: never.", examples=[None]
    )
    capture_policy: PolicyWord
    access: AccessWord
    events: bool = Field(description="Whether some target hears of clips that are shared.")
    title_length: int = Field(
        description="Characters that a clip's title may have.", examples=[TITLE_LENGTH]
    )
    text_length: int = Field(
        description="Characters of the words that a clip is shared with.", examples=[TEXT_LENGTH]
    )
    post_roll_seconds: RoundedSeconds = Field(
        description="What is still to come of a capture, at most.", examples=[POST_ROLL_SECONDS]
    )
    restore_seconds: RoundedSeconds = Field(
        description="In which a deleted clip can be restored, at most.", examples=[604_800]
    )


class CallerView(View):
    """Whose a token is, what they may do, and how much."""

    expires_at: InstantText | None = Field(description="When the token does.")
    identity: Identity = Field(description="Who the caller is.")
    room: str | None = Field(
        description="The only room it is good for; null: all.", examples=["studio"]
    )
    room_admin: bool = Field(description="Whether they are an admin of that room.")
    instance_admin: bool = Field(description="Whether they are an admin of the instance.")
    communities: list[StandingView] = Field(
        description="Those where the caller has a role, a grant, or manages; at most 200."
    )
    limits: LimitsView = Field(description="What holds in this instance.")


class SessionView(CallerView):
    """A token with the same rights, of this service only, and whose they are."""

    expires_at: InstantText = Field(description="When the token does.")
    token: str = Field(
        description="For `Authorization: Bearer`.", examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"]
    )
    renewable_until: InstantText = Field(description="Until then POST /session takes this one too.")


@endpoint(
    "POST /session",
    "Exchange a LiveKit token for one of ours",
    description="For pages that stay open longer than a LiveKit token lives. Takes a token of "
    "ours as well, and renews it; the one that was shown is good until it expires. What makes an "
    "admin ends with the LiveKit token that did.",
    answers={HTTPStatus.OK: Answer("The token.")},
)
async def create_session(call: Call[None]) -> SessionView:
    """Makes a session: a token of ours with the rights of the one that was shown."""
    members = await _members(call)
    known = await call.state.generations.of(call.caller.identity)
    await orphans.note_owner(call.ctx.store, call.caller.identity, call.now)
    session = issue_session(call.ctx.settings, call.caller, known.sessions, call.now)
    return SessionView.model_validate(members | vars(session))


@endpoint(
    "GET /session",
    "What the caller's token is good for",
    description="Who the caller is, in which room, what they may do in which community, and what "
    "holds in this instance where a community has no rules of its own.",
    answers={HTTPStatus.OK: Answer("As it is now.")},
)
async def get_session(call: Call[None]) -> CallerView:
    """Tells whose session it is, and what they may do."""
    return CallerView.model_validate(await _members(call))


@endpoint(
    "DELETE /sessions",
    "Sign out everywhere",
    description="Ends the caller's sessions, event streams and signed URLs, within 5 s; this "
    "session, too. LiveKit tokens end when they say: they are the app's.",
    answers={HTTPStatus.NO_CONTENT: Answer("They are ended.")},
    kept=Kept.CHANGE,
)
async def end_sessions(call: Call[None]) -> None:
    """Ends the caller's own sessions."""
    await _end_sessions(call, call.caller.identity, AuditAction.SIGNED_OUT_EVERYWHERE)


@endpoint(
    "DELETE /users/{identity}/sessions",
    "End somebody's sessions",
    description="And their event streams and signed URLs, within 5 s. LiveKit tokens end when "
    "they say: they are the app's.",
    answers={HTTPStatus.NO_CONTENT: Answer("They are ended.")},
    problems=[NotFound, Invalid],
    may=gates.admins,
    kept=Kept.RULE,
)
async def end_user_sessions(call: Call[None]) -> None:
    """Ends any user's sessions."""
    await _end_sessions(call, call.name("identity"), AuditAction.SESSIONS_ENDED)


async def _end_sessions(call: Call[None], identity: str, action: AuditAction) -> None:
    ctx = call.ctx
    ended = (Endable.SESSIONS, Endable.WATCHING)
    await generations.end(ctx.store, ctx.settings, ctx.instance, identity, ended)
    call.state.generations.forget([identity])
    await audit.note(ctx.store, call.caller.identity, action, identity)


async def _members(call: Call[None]) -> dict[str, Any]:
    """The members of CallerView."""
    caller, settings = call.caller, call.ctx.settings
    found = await standing.standings(call.ctx.store, settings, caller)
    limits = LimitsView(
        max_capture_seconds=settings.max_capture.total_seconds(),
        retention_seconds=settings.retention.total_seconds(),
        marker_minutes=settings.marker_minutes,
        clip_days=settings.clip_days or None,
        capture_policy=settings.capture_policy,
        access=settings.access,
        events=settings.posts_clips,
        title_length=TITLE_LENGTH,
        text_length=TEXT_LENGTH,
        post_roll_seconds=POST_ROLL_SECONDS,
        restore_seconds=round(settings.trash.total_seconds()),
    )
    return {
        "expires_at": caller.expires_at,
        "identity": caller.identity,
        "room": caller.room,
        "room_admin": caller.room_admin,
        "instance_admin": caller.instance_admin,
        "communities": [StandingView.model_validate(each) for each in found],
        "limits": limits,
    }


routes: list[BaseRoute] = [create_session, get_session, end_sessions, end_user_sessions]
