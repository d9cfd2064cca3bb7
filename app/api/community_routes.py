"""The rules and members of communities: /communities/{community}/…"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import audit, communities, management
from app.access.permissions import Action
from app.access.tokens import Caller
from app.api import auth, web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input, View
from app.context import Context
from app.errors import Invalid, NotFound, NotPermitted
from app.recording import admission

Policy = Literal["self", "room", "role"]
AccessMode = Literal["open", "rbac"]


class ConfigView(View):
    """The rules in force in a community."""

    community: str
    enabled: bool
    max_concurrent: int
    access: str
    capture_policy: str
    retention_minutes: float
    own: list[str] = Field(
        description="Those of these that the community has set; the others are the instance's."
    )


class ConfigRequest(Input):
    """A community's own rules. What is left out stays as it is; null: the instance's setting."""

    enabled: Annotated[bool, Field(strict=True)] = True
    max_concurrent: Annotated[int, Field(strict=True, ge=0, le=10_000)] | None = None
    access: AccessMode | None = None
    capture_policy: Policy | None = None
    retention_minutes: Annotated[float, Field(strict=True, gt=0, le=1440)] | None = None


class MemberView(View):
    """Somebody's role and single grants in a community."""

    community: str
    identity: str
    role: str
    grants: list[str]


class MemberRequest(Input):
    """The role and the grants that somebody shall have."""

    role: Literal["member", "moderator", "admin"] = "member"
    grants: Annotated[list[Action], Field(max_length=len(Action))] = Field(default_factory=list)


async def _managed(request: Request) -> tuple[Context, Caller, str]:
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    community = management.named(request.path_params["community"])
    await management.check(ctx.store, ctx.settings, caller, community)
    return ctx, caller, community


async def _told(ctx: Context, community: str) -> ConfigView:
    rules = await communities.rules(ctx.store, ctx.settings, community)
    return ConfigView.model_validate(vars(rules))


@described(
    Operation(
        summary="The rules of a community",
        answers={HTTPStatus.OK: Answer("The rules in force.", ConfigView)},
        problems=[NotPermitted, NotFound, Invalid],
    )
)
async def get_config(request: Request) -> Response:
    """GET /communities/{community}/config"""
    ctx, _, community = await _managed(request)
    return wire.answer(await _told(ctx, community))


@described(
    Operation(
        summary="Change the rules of a community",
        description="They act at once on shares that are waiting, refused or being recorded.",
        answers={HTTPStatus.OK: Answer("The rules in force now.", ConfigView)},
        problems=[NotPermitted, NotFound, Invalid],
        body=ConfigRequest,
    )
)
async def put_config(request: Request) -> Response:
    """PUT /communities/{community}/config"""
    ctx, caller, community = await _managed(request)
    change = (await wire.body(request, ConfigRequest)).model_dump(exclude_unset=True)
    if change:
        await communities.configure(ctx.store, community, change)
        await audit.note(ctx.store, caller.identity, "community_configured", community, **change)
        await admission.ask_again(ctx, {"community": community})
    return wire.answer(await _told(ctx, community))


@described(
    Operation(
        summary="Somebody's role",
        answers={HTTPStatus.OK: Answer("Role and grants.", MemberView)},
        problems=[NotPermitted, NotFound, Invalid],
    )
)
async def get_member(request: Request) -> Response:
    """GET /communities/{community}/members/{identity}"""
    ctx, _, community = await _managed(request)
    identity = management.named(request.path_params["identity"])
    row = await communities.member(ctx.store, community, identity)
    if row is None:
        raise NotFound(f"{identity!r} has no role of their own in {community!r}")
    return wire.answer(MemberView.model_validate(row))


@described(
    Operation(
        summary="Give somebody a role",
        answers={HTTPStatus.OK: Answer("Role and grants.", MemberView)},
        problems=[NotPermitted, NotFound, Invalid],
        body=MemberRequest,
    )
)
async def put_member(request: Request) -> Response:
    """PUT /communities/{community}/members/{identity}"""
    ctx, caller, community = await _managed(request)
    identity = management.named(request.path_params["identity"])
    asked = await wire.body(request, MemberRequest)
    grants = sorted({str(grant) for grant in asked.grants})
    await communities.set_member(ctx.store, community, identity, asked.role, grants)
    await audit.note(
        ctx.store, caller.identity, "member_set", identity, community=community, role=asked.role,
        grants=grants,
    )  # fmt: skip
    await admission.ask_again(ctx, {"community": community, "identity": identity})
    return wire.answer(
        MemberView(community=community, identity=identity, role=asked.role, grants=grants)
    )


@described(
    Operation(
        summary="Take somebody's role away",
        answers={HTTPStatus.NO_CONTENT: Answer("They have none now.")},
        problems=[NotPermitted, NotFound, Invalid],
    )
)
async def delete_member(request: Request) -> Response:
    """DELETE /communities/{community}/members/{identity}"""
    ctx, caller, community = await _managed(request)
    identity = management.named(request.path_params["identity"])
    if await communities.remove_member(ctx.store, community, identity):
        await audit.note(
            ctx.store, caller.identity, "member_removed", identity, community=community
        )
        await admission.ask_again(ctx, {"community": community, "identity": identity})
    return Response(status_code=HTTPStatus.NO_CONTENT)


_CONFIG = "/communities/{community}/config"
_MEMBER = "/communities/{community}/members/{identity}"
routes: list[BaseRoute] = [
    Route(_CONFIG, get_config, methods=["GET"]),
    Route(_CONFIG, put_config, methods=["PUT"]),
    Route(_MEMBER, get_member, methods=["GET"]),
    Route(_MEMBER, put_member, methods=["PUT"]),
    Route(_MEMBER, delete_member, methods=["DELETE"]),
]
