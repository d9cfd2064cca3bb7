"""Quotas: /quota of the caller, /users/{identity}/quota for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import audit, management, quota
from app.api import auth, web_state, wire
from app.api.openapi import Answer, Operation, described
from app.api.wire import Input, View
from app.context import Context
from app.errors import Invalid, NotFound, NotPermitted
from app.recording import admission
from app.recording.reasons import Why


class QuotaView(View):
    """Bytes: what is allowed, what clips take, what captures on their way hold."""

    quota_bytes: int
    used_bytes: int
    reserved_bytes: int


class QuotaRequest(Input):
    """A user's quota. null: QUOTA_BYTES again."""

    quota_bytes: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None


async def _told(ctx: Context, identity: str) -> Response:
    found = await quota.read(ctx.store, ctx.settings, identity)
    return wire.answer(QuotaView.model_validate(vars(found)))


@described(
    Operation(
        summary="My quota",
        answers={HTTPStatus.OK: Answer("The caller's numbers.", QuotaView)},
    )
)
async def get_own(request: Request) -> Response:
    """GET /quota"""
    caller = auth.caller(request)
    return await _told(web_state.of(request).ctx, caller.identity)


@described(
    Operation(
        summary="A user's quota",
        answers={HTTPStatus.OK: Answer("The user's numbers.", QuotaView)},
        problems=[NotPermitted, NotFound, Invalid],
    )
)
async def get_users(request: Request) -> Response:
    """GET /users/{identity}/quota"""
    management.check_admin(auth.caller(request))
    return await _told(web_state.of(request).ctx, management.named(request.path_params["identity"]))


@described(
    Operation(
        summary="Set a user's quota",
        description="Below what is used, new captures are refused and nothing is deleted.",
        answers={HTTPStatus.OK: Answer("The user's numbers now.", QuotaView)},
        problems=[NotPermitted, NotFound, Invalid],
        body=QuotaRequest,
    )
)
async def put_users(request: Request) -> Response:
    """PUT /users/{identity}/quota"""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    management.check_admin(caller)
    identity = management.named(request.path_params["identity"])
    asked = await wire.body(request, QuotaRequest)
    await quota.set_limit(ctx.store, identity, asked.quota_bytes)
    await audit.note(
        ctx.store, caller.identity, "quota_set", identity, quota_bytes=asked.quota_bytes
    )
    await admission.ask_again(ctx, {"identity": identity, "why": Why.QUOTA})
    return await _told(ctx, identity)


routes: list[BaseRoute] = [
    Route("/quota", get_own, methods=["GET"]),
    Route("/users/{identity}/quota", get_users, methods=["GET"]),
    Route("/users/{identity}/quota", put_users, methods=["PUT"]),
]
