"""What machines ask: is it alive, is it ready, what are its numbers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api import web_state, wire
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.condition import health
from app.condition.exposition import CONTENT_TYPE, may_read
from app.errors import NotFound, Unauthorized


class Alive(wire.View):
    """The process answers."""

    status: str


class Ready(wire.View):
    """`status` is `ready` if every check is `ok`; another word says what is wrong."""

    status: str
    checks: dict[str, str]


@described(
    Operation(
        summary="Whether the process answers",
        answers={HTTPStatus.OK: Answer("It does.", Alive)},
        access="anybody",
    )
)
async def get_healthz(request: Request) -> Response:
    """GET /healthz"""
    return wire.answer(Alive(status="alive"))


@described(
    Operation(
        summary="Whether everything that the service needs is there",
        answers={
            HTTPStatus.OK: Answer("All is there.", Ready),
            HTTPStatus.SERVICE_UNAVAILABLE: Answer("Something is missing.", Ready),
        },
        access="anybody",
    )
)
async def get_readyz(request: Request) -> Response:
    """GET /readyz"""
    readiness = web_state.of(request).readiness
    checks = await readiness.read()
    ready = all(found == health.OK for found in checks.values())
    told = Ready(status="ready" if ready else "not ready", checks=checks)
    return wire.answer(told, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


@described(
    Operation(
        summary="The metrics, for Prometheus",
        description="Here only with METRICS_TOKEN set; METRICS_PORT serves them on their own port.",
        answers={HTTPStatus.OK: Answer("Prometheus text.", media_type="text/plain")},
        problems=[NotFound],
        access="metrics token",
    )
)
async def get_metrics(request: Request) -> Response:
    """GET /metrics"""
    state = web_state.of(request)
    settings = state.ctx.settings
    if not settings.metrics_token.get_secret_value():
        raise NotFound("the metrics are not served here: set METRICS_TOKEN or METRICS_PORT")
    if not may_read(settings, request.headers):
        raise Unauthorized("send METRICS_TOKEN: Authorization: Bearer <token>")
    return Response(await state.exposition.render(), media_type=CONTENT_TYPE)


routes: list[BaseRoute] = [
    Route("/healthz", get_healthz),
    Route("/readyz", get_readyz),
    Route("/metrics", get_metrics),
]
