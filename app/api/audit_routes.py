"""What the instance's administrators may know of who did what: /audit."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import audit
from app.api import gates
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, InstantText, View
from app.captures.requests import Instant


class AuditView(View):
    """Who did what to what, and when."""

    id: str
    at: InstantText
    identity: str
    action: str
    subject: str
    room: str
    data: dict[str, Any]


class AuditPage(View):
    """Entries, newest first."""

    items: list[AuditView]
    next: str | None


class AuditQuery(Input):
    """Which entries."""

    identity: Annotated[str, Field(max_length=512)] | None = Field(
        None, description="Only what they did; empty: what the service did by itself."
    )
    action: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Only this."
    )
    subject: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None, description="Only what was done to this: an id, an identity or a community."
    )
    since: Instant | None = Field(None, description="Only from this time on.")
    until: Instant | None = Field(None, description="Only before this time.")
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    next: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Where the page before ended."
    )


@endpoint(
    "GET /audit",
    "Who did what",
    answers={HTTPStatus.OK: Answer("A page of entries.")},
    may=gates.admins,
)
async def get_audit(call: Call[AuditQuery]) -> AuditPage:
    """A page of it."""
    given = call.input
    wanted = {"identity": given.identity, "action": given.action, "subject": given.subject}
    page = await audit.page(
        call.ctx.store,
        {field: value for field, value in wanted.items() if value is not None},
        since=given.since,
        until=given.until,
        limit=given.limit,
        after=given.next,
    )
    return AuditPage(items=[AuditView.of_row(row) for row in page.items], next=page.next)


routes: list[BaseRoute] = [get_audit]
