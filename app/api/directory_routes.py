"""The lists of administration: communities, their members and rooms, users."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import directories
from app.api import gates
from app.api.call import Call
from app.api.community_views import (
    AccessWord,
    CommunityTitle,
    Enabled,
    GrantWords,
    MostOfOne,
    MostShares,
    PolicyWord,
    RetentionShown,
    RoleWord,
    SharerRightsWord,
)
from app.api.json_types import CommunityName, Count, Identity, PageSize, RoomName
from app.api.operation import Answer, endpoint
from app.api.quota_routes import OwnQuota, QuotaBytesShown, ReservedBytes, UsedBytes
from app.api.wire import Input, View

_Name = Annotated[str, Field(min_length=1, max_length=512, examples=["alice"])]
NextName = Annotated[
    str | None,
    Field(
        description="Where the following page begins: give it as `next`; null at the end.",
        examples=["alice"],
    ),
]


class CommunityView(View):
    """A community, the rules in force there, and how much goes on in it."""

    id: CommunityName = Field(description="Its name.")
    title: CommunityTitle
    enabled: Enabled
    max_concurrent: MostShares
    max_concurrent_per_user: MostOfOne
    access: AccessWord
    capture_policy: PolicyWord
    sharer_rights: SharerRightsWord
    retention_minutes: RetentionShown
    active: Count = Field(description="Shares that hold a slot of `max_concurrent` now.")
    members: Count = Field(description="People with a role or grants of their own.")


class CommunityPage(View):
    """A page of communities."""

    items: list[CommunityView] = Field(description="In the order of their names.")
    next: NextName


class PageQuery(Input):
    """Which page."""

    limit: PageSize = 50
    next: _Name | None = Field(None, description="Where the page before ended: its `next`.")


class NameQuery(PageQuery):
    """Which names, which page of them."""

    search: _Name | None = Field(None, description="Only names that hold this, in any case.")


class ListedMember(View):
    """Somebody's role and single grants."""

    identity: Identity = Field(description="Who.")
    role: RoleWord
    grants: GrantWords


class MemberPage(View):
    """A page of members."""

    items: list[ListedMember] = Field(description="In the order of their names.")
    next: NextName


class AssignedPage(View):
    """A page of names of rooms."""

    items: list[RoomName] = Field(description="In their order.")
    next: NextName


class UserView(View):
    """A user and their quota."""

    identity: Identity = Field(description="Who.")
    quota_bytes: QuotaBytesShown
    own: OwnQuota
    used_bytes: UsedBytes
    reserved_bytes: ReservedBytes


class UserPage(View):
    """A page of users."""

    items: list[UserView] = Field(description="In the order of their names.")
    next: NextName


@endpoint(
    "GET /communities",
    "The communities that the caller manages",
    description="An administrator of the instance gets every one that there is.",
    answers={HTTPStatus.OK: Answer("A page of communities.")},
)
async def list_communities(call: Call[PageQuery]) -> CommunityPage:
    """Lists the communities that the caller manages, a page at a time."""
    ctx, given = call.ctx, call.input
    page = await directories.managed(
        ctx.store, ctx.settings, call.caller, limit=given.limit, after=given.next
    )
    items = [
        CommunityView(
            id=each.rules.community,
            title=each.rules.title,
            enabled=each.rules.enabled,
            max_concurrent=each.rules.max_concurrent,
            max_concurrent_per_user=each.rules.max_concurrent_per_user,
            access=each.rules.access,
            capture_policy=each.rules.capture_policy,
            sharer_rights=each.rules.sharer_rights,
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
    description="Everybody with a role or grants of their own, for those who manage its limits.",
    answers={HTTPStatus.OK: Answer("A page of members.")},
    may=gates.managers,
)
async def list_community_members(call: Call[NameQuery]) -> MemberPage:
    """Lists a community's members, a page at a time."""
    community, given = call.name("community"), call.input
    page = await directories.members(
        call.ctx.store, community, search=given.search, limit=given.limit, after=given.next
    )
    items = [ListedMember.model_validate(row) for row in page.items]
    return MemberPage(items=items, next=page.next)


@endpoint(
    "GET /communities/{community}/rooms",
    "Which rooms an admin has assigned to a community",
    description="Names of rooms whose shares belong to it whatever is said in them. For those who "
    "manage its limits.",
    answers={HTTPStatus.OK: Answer("A page of names.")},
    may=gates.managers,
)
async def list_community_rooms(call: Call[NameQuery]) -> AssignedPage:
    """Lists the rooms that are assigned to a community, a page at a time."""
    community, given = call.name("community"), call.input
    page = await directories.rooms(
        call.ctx.store, community, search=given.search, limit=given.limit, after=given.next
    )
    return AssignedPage(items=[row["_id"] for row in page.items], next=page.next)


@endpoint(
    "GET /users",
    "Who uses how much of their quota",
    description="Everybody who has clips, or a quota of their own. For admins of the instance.",
    answers={HTTPStatus.OK: Answer("A page of users.")},
    may=gates.admins,
)
async def list_users(call: Call[NameQuery]) -> UserPage:
    """Lists the users that are known, a page at a time."""
    ctx, given = call.ctx, call.input
    page = await directories.users(
        ctx.store, ctx.settings, search=given.search, limit=given.limit, after=given.next
    )
    items = [
        UserView.model_validate({"identity": who} | vars(numbers)) for who, numbers in page.items
    ]
    return UserPage(items=items, next=page.next)


routes: list[BaseRoute] = [
    list_communities,
    list_community_members,
    list_community_rooms,
    list_users,
]
