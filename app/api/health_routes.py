"""What machines ask: is it alive, is it ready, what are its numbers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.api import json_types, wire
from app.api.call import Call
from app.api.operation import Answer, endpoint, gate
from app.api.token_buckets import Cost
from app.condition import health
from app.condition.exposition import CONTENT_TYPE, may_read
from app.errors import NotFound, Unauthorized


class Alive(wire.View):
    """The process answers."""

    status: Annotated[str, json_types.only("alive")] = Field(description="That it does.")


class Ready(wire.View):
    """Whether everything is there."""

    status: Annotated[str, json_types.only("ready", "not ready")] = Field(
        description="`ready` if every check is `ok`."
    )
    checks: dict[str, str] = Field(
        description="By what was looked at: `ok`, or another word that says what is wrong.",
        examples=[{"database": "ok", "queue": "ok"}],
    )


@endpoint(
    "GET /healthz",
    "Whether the process answers",
    description="For whatever starts the process again when it does not. It looks at nothing else.",
    answers={HTTPStatus.OK: Answer("It does.")},
    access="anybody",
    cost=Cost.FREE,
)
async def get_liveness(call: Call[None]) -> Alive:
    """Answers that the process lives."""
    return Alive(status="alive")


@endpoint(
    "GET /readyz",
    "Whether everything that the service needs is there",
    description="For whatever sends requests here only while it is: database, queue, LiveKit, "
    "disk, and the processes of the service.",
    answers={
        HTTPStatus.OK: Answer("All is there.", Ready),
        HTTPStatus.SERVICE_UNAVAILABLE: Answer("Something is missing.", Ready),
    },
    access="anybody",
    cost=Cost.FREE,
)
async def get_readiness(call: Call[None]) -> Response:
    """Says of each thing that the service needs whether it is ready."""
    checks = await call.state.readiness.read()
    ready = health.is_ready(checks)
    view = Ready(status="ready" if ready else "not ready", checks=checks)
    return wire.answer(view, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


@gate(NotFound, Unauthorized)
async def _metrics_readers(call: Call[None]) -> None:
    """Who has METRICS_TOKEN, where there is one."""
    settings = call.ctx.settings
    if not settings.metrics_token.get_secret_value():
        raise NotFound("the metrics are not served here: set METRICS_TOKEN or METRICS_PORT")
    if not may_read(settings, call.request.headers):
        raise Unauthorized("send METRICS_TOKEN: Authorization: Bearer <token>")


@endpoint(
    "GET /metrics",
    "The metrics, for Prometheus",
    description="Here only with METRICS_TOKEN set; METRICS_PORT serves them on their own port.",
    answers={HTTPStatus.OK: Answer("Prometheus text.", media_type="text/plain")},
    access="metrics token",
    may=_metrics_readers,
)
async def get_metrics(call: Call[None]) -> Response:
    """Gives the metrics of all processes."""
    return Response(await call.state.exposition.render(), media_type=CONTENT_TYPE)


routes: list[BaseRoute] = [get_liveness, get_readiness, get_metrics]
