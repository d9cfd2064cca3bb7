"""How the installation is: /operations/history, /operations/captures and /operations/checks."""

from __future__ import annotations

from contextlib import suppress
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
from app.models import FailureReason
from app.models.word_schema import words
from app.storage.free_space import free_bytes

_LONGEST_MINUTES = int(history.COARSE_RETENTION.total_seconds() / 60)


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
    disk_full_at: InstantText | None = Field(
        description="When FREE_SPACE_MIN_BYTES are free, if the disk goes on filling as in the "
        "last hours; null: not within a week."
    )


class HistoryQuery(Input):
    """How far back."""

    minutes: Annotated[
        int, Field(ge=1, le=_LONGEST_MINUTES, description="So many minutes back from now.")
    ] = 60


class FailureView(View):
    """How many captures have failed for one reason."""

    reason: Annotated[str, words(FailureReason)] = Field(description="Why.")
    count: Count = Field(description="So many.")


class OutcomesView(View):
    """What became of the captures that ended in an hour."""

    at: InstantText = Field(description="When the hour began.")
    ready: Count = Field(description="Clips that were made.")
    cancelled: Count = Field(description="Captures that somebody ended.")
    failed: Count = Field(description="Captures that failed.")
    failures: list[FailureView] = Field(description="These, by why.")


class OutcomesPage(View):
    """Hours. One in which no capture ended is left out."""

    items: list[OutcomesView] = Field(description="Oldest first.")


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
    "The service's numbers over the last hours or days",
    description="Free space, what buffers and clips take, how far media is behind. For admins of "
    "the instance. Further back than 6 hours there is a sample for every quarter of an hour.",
    answers={HTTPStatus.OK: Answer("A sample for every step.")},
    may=gates.admins,
)
async def get_history(call: Call[HistoryQuery]) -> HistoryView:
    """Gives the history of the last minutes, as samples."""
    rows = await history.read(call.ctx, call.input.minutes, call.now)
    free = None
    with suppress(OSError):  # the disk is away: its checks tell
        free = await free_bytes(call.ctx.settings.media_root)
    return HistoryView(
        step_seconds=history.step_seconds(call.input.minutes),
        items=[SampleView.model_validate(row) for row in rows],
        disk_full_at=await history.disk_full_at(call.ctx, call.now, free),
    )


@endpoint(
    "GET /operations/captures",
    "What became of captures",
    description="Of those that ended in the last 7 days, hour by hour; at most a minute old, more "
    "where there are very many. For admins of the instance.",
    answers={HTTPStatus.OK: Answer("The hours in which captures ended.")},
    may=gates.admins,
)
async def get_outcomes(call: Call[None]) -> OutcomesPage:
    """Gives the outcomes of captures, counted hour by hour."""
    found = await call.state.outcomes.read()
    return OutcomesPage(items=[OutcomesView.model_validate(each) for each in found])


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


routes: list[BaseRoute] = [get_history, get_outcomes, get_checks]
