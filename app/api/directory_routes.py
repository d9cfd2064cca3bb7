"""The lists of administration: /communities, /communities/{community}/members, /users."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import directories, management
from app.api import auth, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input, View
from app.errors import NotFound, NotPermitted

_Name = Annotated[str, Field(min_length=1, max_length=512)]


class CommunityView(View):
    """A community, the rules in force there, and how much goes on in it."""

    id: str
    enabled: bool
    max_concurrent: int
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


@described(
    Operation(
        summary="The communities that the caller manages",
        description="An administrator of the instance gets every one that there is.",
        answers={HTTPStatus.OK: Answer("A page of communities.", CommunityPage)},
        query=PageQuery,
    )
)
async def list_communities(request: Request) -> Response:
    """GET /communities"""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    asked = wire.query(request, PageQuery)
    found, following = await directories.managed(
        ctx.store, ctx.settings, caller, limit=asked.limit, after=asked.next
    )
    items = [
        CommunityView(
            id=each.rules.community,
            enabled=each.rules.enabled,
            max_concurrent=each.rules.max_concurrent,
            access=each.rules.access,
            capture_policy=each.rules.capture_policy,
            retention_minutes=each.rules.retention_minutes,
            active=each.active,
            members=each.members,
        )
        for each in found
    ]
    return wire.answer(CommunityPage(items=items, next=following))


@described(
    Operation(
        summary="Who has a role in a community",
        answers={HTTPStatus.OK: Answer("A page of members.", MemberPage)},
        problems=[NotPermitted, NotFound],
        query=NameQuery,
    )
)
async def list_members(request: Request) -> Response:
    """GET /communities/{community}/members"""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    community = management.named(request.path_params["community"])
    await management.check(ctx.store, ctx.settings, caller, community)
    asked = wire.query(request, NameQuery)
    rows, following = await directories.members(
        ctx.store, community, search=asked.search, limit=asked.limit, after=asked.next
    )
    items = [ListedMember.model_validate(row) for row in rows]
    return wire.answer(MemberPage(items=items, next=following))


@described(
    Operation(
        summary="Who uses how much of their quota",
        answers={HTTPStatus.OK: Answer("A page of users.", UserPage)},
        problems=[NotPermitted],
        query=NameQuery,
    )
)
async def list_users(request: Request) -> Response:
    """GET /users"""
    ctx = web_state.of(request).ctx
    management.check_admin(auth.caller(request))
    asked = wire.query(request, NameQuery)
    found, following = await directories.users(
        ctx.store, ctx.settings, search=asked.search, limit=asked.limit, after=asked.next
    )
    items = [UserView.model_validate({"identity": who} | vars(numbers)) for who, numbers in found]
    return wire.answer(UserPage(items=items, next=following))


routes: list[BaseRoute] = [
    Route("/communities", list_communities, methods=["GET"]),
    Route("/communities/{community}/members", list_members, methods=["GET"]),
    Route("/users", list_users, methods=["GET"]),
]
