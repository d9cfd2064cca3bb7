"""Stopping and resuming the recording of a share: /buffers/{buffer_id}/stop and /resume."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import buffer_views, gates, share_lookup
from app.api.buffer_views import BufferView
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import Input
from app.errors import Conflict, NotFound, NotPermitted
from app.models import BufferRow, Stopper
from app.models.free_text import clean_title
from app.recording import share_stop


class StopRequest(Input):
    """Why the recording shall end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It is secret"}, {}]})

    reason: Annotated[str, Field(max_length=200), AfterValidator(clean_title)] = Field(
        "",
        description="In words, for whoever reads `why_detail`.",
        examples=["It is secret"],
    )


@endpoint(
    "POST /buffers/{buffer_id}/stop",
    "Stop the recording of a share",
    description="Until /resume, or for as long as the share lasts. What was buffered stays. "
    "For the sharer, and the admins of its community, its room and the instance.",
    answers={HTTPStatus.ACCEPTED: Answer("It ends within seconds.")},
    problems=[NotPermitted, Conflict],
    may=gates.viewers,
    body_may_be_empty=True,
    kept=Kept.CHANGE,
)
async def stop_recording(call: Call[StopRequest]) -> BufferView:
    """Ends a share's recording."""
    row, standing = await _meant(call)
    await share_stop.stop(call.ctx, call.caller, row, standing, call.input.reason)
    call.state.generations.forget([row["identity"]])
    return await _view(call)


@endpoint(
    "POST /buffers/{buffer_id}/resume",
    "Take a stop of a recording back",
    description="The sharer takes back their own, any admin that of an admin.",
    answers={HTTPStatus.ACCEPTED: Answer("It is recorded again within seconds.")},
    problems=[NotFound, NotPermitted, Conflict],
    kept=Kept.CHANGE,
)
async def resume_recording(call: Call[None]) -> BufferView:
    """Has a share's recording begin anew."""
    row, standing = await _meant(call)
    await share_stop.resume(call.ctx, call.caller, row, standing)
    return await _view(call)


async def _meant(call: Call[Any]) -> tuple[BufferRow, frozenset[Stopper]]:
    """The share that is meant, and as whom the caller may stop its recording."""
    row = await share_lookup.seen(call, call.path["buffer_id"])
    standing = await visibility.may_stop(call.ctx.store, call.caller, visibility.share_of(row))
    return row, standing


async def _view(call: Call[Any]) -> BufferView:
    later = replace(call, now=datetime.now(UTC))  # what was asked for has been done since it came
    line = await share_lookup.seen_timeline(later)
    (view,) = await buffer_views.views(call.state, call.caller, [line], later.now)
    return view


routes: list[BaseRoute] = [stop_recording, resume_recording]
