"""How the installation is: /operations/history and /operations/checks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.api import gates, json_types
from app.api.call import Call
from app.api.json_types import ByteCount, Count, InstantText, RoundedSeconds
from app.api.operation import Answer, endpoint
from app.api.wire import Input, View
from app.condition import history
from app.condition.findings import Level

_LONGEST_MINUTES = int(history.RETENTION.total_seconds() / 60)


class SampleView(View):
    """What was so at an instant."""

    at: InstantText = Field(description="The instant.")
    free_disk_bytes: ByteCount = Field(description="Free on the disk of the media root.")
    buffered_bytes: ByteCount = Field(description="What buffers take.")
    clips_bytes: ByteCount = Field(description="What clips take.")
    media_lag_seconds: RoundedSeconds = Field(
        description="Of the live share that is furthest behind.", examples=[3.2]
    )
    index_lag_seconds: RoundedSeconds | None = Field(
        description="How long a segment waited to be indexed, the mean since the sample before; "
        "null where nothing was indexed.",
        examples=[0.2],
    )
    active_sessions: Count = Field(description="Recordings that go on.")


class HistoryView(View):
    """Samples. Where nobody took one, none stands."""

    step_seconds: int = Field(
        description="From one sample to the next.", examples=[history.STEP_SECONDS]
    )
    items: list[SampleView] = Field(description="Oldest first.")


class HistoryQuery(Input):
    """How far back."""

    minutes: Annotated[
        int, Field(ge=1, le=_LONGEST_MINUTES, description="So many minutes back from now.")
    ] = 60


class CheckView(View):
    """What one check found."""

    name: str = Field(description="What was looked at.", examples=["disk"])
    ok: bool = Field(description="Whether nothing fails.")
    level: Level = Field(description="What was found; only `fail` is not ok.")
    detail: str = Field(description="The same in words.", examples=["75.1 GB are free"])
    advice: json_types.Text = Field(description="What to do; empty where nothing is to be done.")


class ChecksView(View):
    """What all checks found."""

    at: InstantText = Field(description="When it was looked at.")
    ok: bool = Field(description="Whether nothing fails.")
    items: list[CheckView] = Field(description="Each check, in the order of the doctor's list.")


@endpoint(
    "GET /operations/history",
    "The service's numbers over the last hours",
    description="Free space, what buffers and clips take, how far media is behind. For admins of "
    "the instance.",
    answers={HTTPStatus.OK: Answer("A sample for every step.")},
    may=gates.admins,
)
async def get_history(call: Call[HistoryQuery]) -> HistoryView:
    """Gives the history of the last minutes, as samples."""
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
    """Gives the newest findings of the doctor's checks."""
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
