"""How the installation is: /operations/history and /operations/checks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.api import gates
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, InstantText, RoundedSeconds, View
from app.condition import history

_LONGEST_MINUTES = int(history.RETENTION.total_seconds() / 60)


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


@endpoint(
    "GET /operations/history",
    "The service's numbers over the last hours",
    answers={HTTPStatus.OK: Answer("A sample for every step.")},
    may=gates.admins,
)
async def get_history(call: Call[HistoryQuery]) -> HistoryView:
    """The samples of the last minutes."""
    rows = await history.read(call.ctx, call.input.minutes, call.now)
    items = [SampleView.model_validate(row) for row in rows]
    return HistoryView(step_seconds=history.STEP_SECONDS, items=items)


@endpoint(
    "GET /operations/checks",
    "The doctor's findings",
    description="At most 30 s old. What would take long is left to `python -m app doctor`.",
    answers={HTTPStatus.OK: Answer("What each check found.")},
    may=gates.admins,
)
async def get_checks(call: Call[None]) -> ChecksView:
    """The newest ones."""
    checked = await call.state.checkup.read()
    items = [
        CheckView(
            name=each.name,
            ok=each.level != "fail",
            level=each.level,
            detail=each.detail,
            advice=each.advice,
        )
        for each in checked.findings
    ]
    return ChecksView(at=checked.at, ok=checked.ok, items=items)


routes: list[BaseRoute] = [get_history, get_checks]
