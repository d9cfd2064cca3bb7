"""The lists of administration: communities, their members and rooms, users."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import directories
from app.api import gates
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, View

_Name = Annotated[str, Field(min_length=1, max_length=512)]


class CommunityView(View):
    """A community, the rules in force there, and how much goes on in it."""

    id: str
    enabled: bool
    max_concurrent: int
    max_concurrent_per_user: int
    access: str
    capture_policy: str
    retention_minutes: float
    active: int = Field(description="Shares that hold a slot of `max_concurrent` now.")
    members: int = Field(description="People with a role or grants of their own.")


class CommunityPage(View):
    """Communities in the order of their names."""

    items: list[CommunityView]
    next: str | None


class PageQuery(Input):
    """Which page."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    next: _Name | None = Field(None, description="Where the page before ended.")


class NameQuery(PageQuery):
    """Which names, which page of them."""

    search: _Name | None = Field(None, description="Only names that hold this, in any case.")


class ListedMember(View):
    """Somebody's role and single grants."""

    identity: str
    role: str
    grants: list[str]


class MemberPage(View):
    """Members in the order of their names."""

    items: list[ListedMember]
    next: str | None


class AssignedPage(View):
    """Names of rooms, in their order."""

    items: list[str]
    next: str | None


class UserView(View):
    """A user, and in bytes what is allowed, what clips take, what captures on their way hold."""

    identity: str
    quota_bytes: int
    used_bytes: int
    reserved_bytes: int


class UserPage(View):
    """Users in the order of their names."""

    items: list[UserView]
    next: str | None


@endpoint(
    "GET /communities",
    "The communities that the caller manages",
    description="An administrator of the instance gets every one that there is.",
    answers={HTTPStatus.OK: Answer("A page of communities.")},
)
async def list_communities(call: Call[PageQuery]) -> CommunityPage:
    """A page of them."""
    ctx, given = call.ctx, call.input
    page = await directories.managed(
        ctx.store, ctx.settings, call.caller, limit=given.limit, after=given.next
    )
    items = [
        CommunityView(
            id=each.rules.community,
            enabled=each.rules.enabled,
            max_concurrent=each.rules.max_concurrent,
            max_concurrent_per_user=each.rules.max_concurrent_per_user,
            access=each.rules.access,
            capture_policy=each.rules.capture_policy,
            retention_minutes=each.rules.retention_minutes,
            active=each.active,
            members=each.members,
        )
        for each in page.items
    ]
    return CommunityPage(items=items, next=page.next)


@endpoint(
    "GET /communities/{community}/members",
    "Who has a role in a community",
    answers={HTTPStatus.OK: Answer("A page of members.")},
    may=gates.managers,
)
async def list_members(call: Call[NameQuery]) -> MemberPage:
    """A page of them."""
    community, given = call.name("community"), call.input
    page = await directories.members(
        call.ctx.store, community, search=given.search, limit=given.limit, after=given.next
    )
    items = [ListedMember.model_validate(row) for row in page.items]
    return MemberPage(items=items, next=page.next)


@endpoint(
    "GET /communities/{community}/rooms",
    "Which rooms an admin has assigned to a community",
    answers={HTTPStatus.OK: Answer("A page of names.")},
    may=gates.managers,
)
async def list_rooms(call: Call[NameQuery]) -> AssignedPage:
    """A page of them."""
    community, given = call.name("community"), call.input
    page = await directories.rooms(
        call.ctx.store, community, search=given.search, limit=given.limit, after=given.next
    )
    return AssignedPage(items=[row["_id"] for row in page.items], next=page.next)


@endpoint(
    "GET /users",
    "Who uses how much of their quota",
    answers={HTTPStatus.OK: Answer("A page of users.")},
    may=gates.admins,
)
async def list_users(call: Call[NameQuery]) -> UserPage:
    """A page of them."""
    ctx, given = call.ctx, call.input
    page = await directories.users(
        ctx.store, ctx.settings, search=given.search, limit=given.limit, after=given.next
    )
    items = [
        UserView.model_validate({"identity": who} | vars(numbers)) for who, numbers in page.items
    ]
    return UserPage(items=items, next=page.next)


routes: list[BaseRoute] = [list_communities, list_members, list_rooms, list_users]
