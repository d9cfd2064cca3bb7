"""What the instance's administrators may know of who did what: /audit."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import audit
from app.api import gates
from app.api.call import Call
from app.api.json_types import Cursor, Id, Identity, InstantText, NextPage, RoomName
from app.api.operation import Answer, endpoint
from app.api.wire import Input, View
from app.models import AuditAction
from app.models.input_types import Instant
from app.models.word_schema import words


class AuditView(View):
    """Who did what to what, and when."""

    id: Id = Field(description="Of the entry.")
    at: InstantText = Field(description="When.")
    done_by: Identity = Field(
        description="Who did it; empty: the service by itself.", alias="identity"
    )
    action: Annotated[str, words(AuditAction)] = Field(description="What was done.")
    subject: str = Field(
        description="To what: an id, an identity or a community.",
        examples=["5f0c2d9e8b7a4c31d2e6f901"],
    )
    room: RoomName = Field(description="In which room; empty: in none.")
    data: dict[str, Any] = Field(
        description="What else there is to tell, depending on the action.",
        examples=[{"title": "That goal"}],
    )


class AuditPage(View):
    """A page of entries."""

    items: list[AuditView] = Field(description="Newest first.")
    next: NextPage


class AuditQuery(Input):
    """Which entries."""

    done_by: Annotated[str, Field(max_length=512)] | None = Field(
        None,
        description="Only what they did; empty: what the service did by itself.",
        examples=["alice"],
        alias="identity",
    )
    action: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Only this, such as `clip_deleted`.",
        examples=[AuditAction.CLIP_DELETED],
    )
    subject: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None,
        description="Only what was done to this: an id, an identity or a community.",
        examples=["5f0c2d9e8b7a4c31d2e6f901"],
    )
    since: Instant | None = Field(None, description="Only from this time on.")
    until: Instant | None = Field(None, description="Only before this time.")
    limit: Annotated[
        int, Field(ge=1, le=500, description="How many there are on a page, at most.")
    ] = 100
    next: Cursor = None


@endpoint(
    "GET /audit",
    "Who did what",
    description="What people, and the service by itself, did to clips, shares, roles and rules, "
    "for AUDIT_DAYS. For admins of the instance. A page may hold fewer than `limit`, or none, and "
    "still have a `next`.",
    answers={HTTPStatus.OK: Answer("A page of entries.")},
    may=gates.admins,
)
async def list_audit_entries(call: Call[AuditQuery]) -> AuditPage:
    """Lists entries of the audit, a page at a time."""
    given = call.input
    wanted = {"identity": given.done_by, "action": given.action, "subject": given.subject}
    page = await audit.page(
        call.ctx.store,
        {field: value for field, value in wanted.items() if value is not None},
        since=given.since,
        until=given.until,
        limit=given.limit,
        after=given.next,
    )
    return AuditPage(items=[AuditView.of_row(row) for row in page.items], next=page.next)


routes: list[BaseRoute] = [list_audit_entries]
