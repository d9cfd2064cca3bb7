"""Stopping and resuming the recording of a share: /buffers/{buffer_id}/stop and /resume."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import visibility
from app.access.policy import StoppedAs
from app.access.tokens import Caller
from app.api import auth, buffer_routes, share_lookup, web_state, wire
from app.api.buffer_routes import BufferView
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.wire import Input
from app.captures.requests import clean_title
from app.context import Context
from app.errors import Conflict, NotFound, NotPermitted
from app.models import Row
from app.recording import share_stop


class StopRequest(Input):
    """Why the recording shall end."""

    reason: Annotated[str, Field(max_length=200), AfterValidator(clean_title)] = Field(
        "", description="In words, for whoever reads `why_detail`."
    )


@described(
    Operation(
        summary="Stop the recording of a share",
        description="Until /resume, or for as long as the share lasts. What was buffered stays. "
        "For the sharer, and the admins of its community, its room and the instance.",
        answers={HTTPStatus.ACCEPTED: Answer("It ends within seconds.", BufferView)},
        problems=[NotFound, NotPermitted, Conflict],
        body=StopRequest,
    )
)
async def stop_recording(request: Request) -> Response:
    """POST /buffers/{buffer_id}/stop"""
    ctx, caller, row, standing = await _meant(request)
    asked = await wire.body(request, StopRequest, may_be_empty=True)
    await share_stop.stop(ctx, caller, row, standing, asked.reason)
    return await _answer(ctx, request, caller)


@described(
    Operation(
        summary="Take a stop of a recording back",
        description="The sharer takes back their own, any admin that of an admin.",
        answers={HTTPStatus.ACCEPTED: Answer("It is recorded again within seconds.", BufferView)},
        problems=[NotFound, NotPermitted, Conflict],
    )
)
async def resume_recording(request: Request) -> Response:
    """POST /buffers/{buffer_id}/resume"""
    ctx, caller, row, standing = await _meant(request)
    await share_stop.resume(ctx, caller, row, standing)
    return await _answer(ctx, request, caller)


async def _meant(request: Request) -> tuple[Context, Caller, Row, frozenset[StoppedAs]]:
    """The share that is meant, and as whom the caller may stop its recording."""
    ctx = web_state.of(request).ctx
    caller = auth.caller(request)
    row = await share_lookup.seen(ctx, caller, request.path_params["buffer_id"])
    standing = await visibility.may_stop(ctx.store, caller, visibility.share_of(row))
    return ctx, caller, row, standing


async def _answer(ctx: Context, request: Request, caller: Caller) -> Response:
    now = datetime.now(UTC)
    reader = auth.reader_of(ctx, caller, now)
    line = await share_lookup.seen_timeline(ctx, reader, request.path_params["buffer_id"], now)
    (told,) = await buffer_routes.told(ctx, caller, [line], now)
    return wire.answer(told, HTTPStatus.ACCEPTED)


routes: list[BaseRoute] = [
    Route("/buffers/{buffer_id}/stop", stop_recording, methods=["POST"]),
    Route("/buffers/{buffer_id}/resume", resume_recording, methods=["POST"]),
]
