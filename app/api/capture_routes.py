"""Asking for clips: /captures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from sse_starlette import ServerSentEvent
from starlette.routing import BaseRoute

from app.access.tokens import Caller
from app.api import auth, capture_views, clip_views, wire
from app.api.call import Call
from app.api.capture_views import (
    SAME_CAPTURE,
    WILL_BE_MADE,
    Accepted,
    CaptureEvent,
    CaptureView,
    Progress,
    playlist_url,
    promised,
)
from app.api.clip_views import Requested
from app.api.event_streams import EventStream
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import IDEMPOTENCY_KEY
from app.captures import acceptance, capture_access, ended_by_others
from app.captures.requests import CaptureRequest
from app.clips import library
from app.context import Context
from app.errors import (
    BufferEmpty,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    TooManyCaptures,
    TooManyRequests,
    WindowTooLong,
)
from app.models import CaptureRow, CaptureStatus


@endpoint(
    "POST /captures",
    "Capture a part of a share",
    description="From the answer on, the media of the window is kept for it, whatever becomes of "
    "the buffer. A window that reaches beyond what is there is clamped, and `notes` "
    "says so. Whoever may watch a share may capture it.",
    answers=WILL_BE_MADE,
    problems=[
        BufferEmpty,
        Conflict,
        Invalid,
        NotFound,
        NotPermitted,
        QuotaExceeded,
        TooManyCaptures,
        WindowTooLong,
    ],
    headers={IDEMPOTENCY_KEY: SAME_CAPTURE},
    kept=Kept.CAPTURE,
)
async def create_capture(call: Call[CaptureRequest]) -> Accepted:
    """Accepts a capture, or gives the one that was accepted under the same key."""
    row = await acceptance.accept(call.ctx, call.caller, call.input, call.idempotency_key)
    return Accepted(**promised(call, row), playlist_url=await playlist_url(call, row))


@endpoint(
    "GET /captures/{capture_id}",
    "One capture",
    description="For the user who asked for it, and the admins of the instance. It can be asked "
    "for until a week after its end.",
    answers={HTTPStatus.OK: Answer("The capture.")},
    problems=[NotFound],
)
async def get_capture(call: Call[None]) -> CaptureView:
    """Gives a capture as it is now."""
    return await _view(call, await _found(call))


@endpoint(
    "DELETE /captures/{capture_id}",
    "Cancel a capture",
    description="One that is over stays as it is (409): delete its clip instead.",
    answers={HTTPStatus.OK: Answer("It is cancelled.")},
    problems=[NotFound, Conflict],
)
async def cancel_capture(call: Call[None]) -> CaptureView:
    """Cancels a capture that is not over."""
    capture_id = call.path["capture_id"]
    return await _view(call, await ended_by_others.cancel(call.ctx, call.caller, capture_id))


@endpoint(
    "GET /captures/{capture_id}/events",
    "How a capture gets on, as it happens",
    description="Server-sent events `capture`, each the whole Progress as JSON, the present "
    "state first; the stream ends after the last state, or with the token or the URL by which it "
    "is read.",
    answers={
        HTTPStatus.OK: Answer("The events.", media_type="text/event-stream", events=(CaptureEvent,))
    },
    problems=[NotFound, Gone, TooManyRequests],
    access="token or signature",
)
async def get_capture_events(call: Call[None]) -> EventStream:
    """Streams a capture's progress until it is over."""
    events, caller = _events(call, await _found(call)), call.reader.caller
    listener = caller.identity if caller else call.user
    return EventStream(events, call.state.stream_slots, listener)


async def _found(call: Call[None]) -> CaptureRow:
    return await capture_access.find(call.ctx, call.reader.caller, call.path["capture_id"])


async def _events(call: Call[None], row: CaptureRow | None) -> AsyncIterator[ServerSentEvent]:
    state, given, ctx, sent, seen = call.state, call.reader, call.ctx, "", None
    while row is not None and await auth.goes_on(state, given, datetime.now(UTC)):
        if row != seen:
            reader = await auth.renewed(state, given, datetime.now(UTC))
            view = Progress(**(await _progress(ctx, reader, row)))
            progress = wire.written(view, former=call.is_former)
            if progress != sent:
                yield ServerSentEvent(progress, event="capture")
            seen, sent = row, progress
        if CaptureStatus(row["status"]).is_final:
            return
        row = await state.capture_looks.next(row["_id"])


async def _view(call: Call[None], row: CaptureRow) -> CaptureView:
    return CaptureView(
        **(await _progress(call.ctx, call.reader, row)),
        id=row["_id"],
        clip_id=row["clip_id"],
        buffer_id=row["buffer_id"],
        room=row["room"],
        sharer=row["identity"],
        trimmed_from=row["trim"] and row["trim"]["clip_id"],
        moment_id=row["moment_id"],
        title=row["title"],
        cut=row["cut"],
        requested=Requested(start=row["requested_start"], end=row["requested_end"]),
        window=Requested(start=row["window_start"], end=row["window_end"]),
        notes=[*row["notes"]],
        playlist_url=await playlist_url(call, row),
        events_url=capture_views.events_url(call.reader, row["_id"]),
        accepted_at=row["accepted_at"],
        finished_at=row["finished_at"],
    )


async def _progress(ctx: Context, reader: auth.Reader, row: CaptureRow) -> dict[str, Any]:
    clip, reader = None, auth.as_owner(reader, row["caller"])
    # A signature has let them in; only who asked, or an admin, was given it.
    caller = reader.caller or Caller(row["caller"])
    if row["status"] == CaptureStatus.READY:
        try:
            found = await library.find(ctx, caller, row["clip_id"])
            clip = await clip_views.view(ctx, caller, reader, found)
        except NotFound:
            clip = None  # it was deleted since
    return {
        "status": row["status"],
        "stage": row["stage"],
        "progress": row["progress"],
        "reason": row["reason"],
        "detail": row["detail"],
        "clip": clip,
    }


routes: list[BaseRoute] = [create_capture, get_capture, cancel_capture, get_capture_events]
