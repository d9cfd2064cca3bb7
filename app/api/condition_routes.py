"""How the installation is: /operations/history and /operations/checks."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import management
from app.api import auth, web_state, wire
from app.api.openapi import Answer, Operation, described
from app.api.wire import Asked, Instant, Seconds, Told
from app.condition import history
from app.errors import NotPermitted

_LONGEST_MINUTES = int(history.KEPT.total_seconds() / 60)


class SampleTold(Told):
    """What was so at an instant."""

    at: Instant
    free_disk_bytes: int
    buffered_bytes: int
    clips_bytes: int
    media_lag_seconds: Seconds = Field(description="Of the live share that is furthest behind.")
    index_lag_seconds: Seconds | None = Field(
        description="The mean since the sample before; null where nothing was indexed."
    )
    active_sessions: int


class HistoryTold(Told):
    """Samples, oldest first. Where nobody took one, none stands."""

    step_seconds: int
    items: list[SampleTold]


class HistoryAsked(Asked):
    """How far back."""

    minutes: Annotated[int, Field(ge=1, le=_LONGEST_MINUTES)] = 60


class CheckTold(Told):
    """What one check found."""

    name: str
    ok: bool
    level: str = Field(description="`ok`, `warn`, `unknown` or `fail`; only `fail` is not ok.")
    detail: str
    advice: str = Field(description="What to do; empty where nothing is to be done.")


class ChecksTold(Told):
    """What all checks found."""

    at: Instant
    ok: bool
    items: list[CheckTold]


@described(
    Operation(
        summary="The service's numbers over the last hours",
        answers={HTTPStatus.OK: Answer("A sample for every step.", HistoryTold)},
        problems=[NotPermitted],
        query=HistoryAsked,
    )
)
async def get_history(request: Request) -> Response:
    """GET /operations/history"""
    management.check_admin(auth.caller(request))
    asked = wire.query(request, HistoryAsked)
    rows = await history.read(web_state.of(request).ctx, asked.minutes, datetime.now(UTC))
    items = [SampleTold.model_validate(row) for row in rows]
    return wire.answer(HistoryTold(step_seconds=history.STEP_SECONDS, items=items))


@described(
    Operation(
        summary="The doctor's findings",
        description="At most 30 s old. What would take long is left to `python -m app doctor`.",
        answers={HTTPStatus.OK: Answer("What each check found.", ChecksTold)},
        problems=[NotPermitted],
    )
)
async def get_checks(request: Request) -> Response:
    """GET /operations/checks"""
    management.check_admin(auth.caller(request))
    checkup = web_state.of(request).checkup
    checked = await checkup.read()
    items = [
        CheckTold(
            name=found.name,
            ok=found.level != "fail",
            level=found.level,
            detail=found.detail,
            advice=found.advice,
        )
        for found in checked.findings
    ]
    return wire.answer(ChecksTold(at=checked.at, ok=checked.ok, items=items))


routes: list[BaseRoute] = [
    Route("/operations/history", get_history, methods=["GET"]),
    Route("/operations/checks", get_checks, methods=["GET"]),
]
