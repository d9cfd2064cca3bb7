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
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input, InstantText, RoundedSeconds, View
from app.condition import history
from app.errors import NotPermitted

_LONGEST_MINUTES = int(history.KEPT.total_seconds() / 60)


class SampleView(View):
    """What was so at an instant."""

    at: InstantText
    free_disk_bytes: int
    buffered_bytes: int
    clips_bytes: int
    media_lag_seconds: RoundedSeconds = Field(
        description="Of the live share that is furthest behind."
    )
    index_lag_seconds: RoundedSeconds | None = Field(
        description="The mean since the sample before; null where nothing was indexed."
    )
    active_sessions: int


class HistoryView(View):
    """Samples, oldest first. Where nobody took one, none stands."""

    step_seconds: int
    items: list[SampleView]


class HistoryQuery(Input):
    """How far back."""

    minutes: Annotated[int, Field(ge=1, le=_LONGEST_MINUTES)] = 60


class CheckView(View):
    """What one check found."""

    name: str
    ok: bool
    level: str = Field(description="`ok`, `warn`, `unknown` or `fail`; only `fail` is not ok.")
    detail: str
    advice: str = Field(description="What to do; empty where nothing is to be done.")


class ChecksView(View):
    """What all checks found."""

    at: InstantText
    ok: bool
    items: list[CheckView]


@described(
    Operation(
        summary="The service's numbers over the last hours",
        answers={HTTPStatus.OK: Answer("A sample for every step.", HistoryView)},
        problems=[NotPermitted],
        query=HistoryQuery,
    )
)
async def get_history(request: Request) -> Response:
    """GET /operations/history"""
    management.check_admin(auth.caller(request))
    asked = wire.query(request, HistoryQuery)
    rows = await history.read(web_state.of(request).ctx, asked.minutes, datetime.now(UTC))
    items = [SampleView.model_validate(row) for row in rows]
    return wire.answer(HistoryView(step_seconds=history.STEP_SECONDS, items=items))


@described(
    Operation(
        summary="The doctor's findings",
        description="At most 30 s old. What would take long is left to `python -m app doctor`.",
        answers={HTTPStatus.OK: Answer("What each check found.", ChecksView)},
        problems=[NotPermitted],
    )
)
async def get_checks(request: Request) -> Response:
    """GET /operations/checks"""
    management.check_admin(auth.caller(request))
    checkup = web_state.of(request).checkup
    checked = await checkup.read()
    items = [
        CheckView(
            name=found.name,
            ok=found.level != "fail",
            level=found.level,
            detail=found.detail,
            advice=found.advice,
        )
        for found in checked.findings
    ]
    return wire.answer(ChecksView(at=checked.at, ok=checked.ok, items=items))


routes: list[BaseRoute] = [
    Route("/operations/history", get_history, methods=["GET"]),
    Route("/operations/checks", get_checks, methods=["GET"]),
]
