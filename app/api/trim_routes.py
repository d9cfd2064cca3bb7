"""Parts of clips as clips of their own: /clips/{clip_id}/trim."""

from __future__ import annotations

from starlette.routing import BaseRoute

from app.api.call import Call
from app.api.capture_views import SAME_CAPTURE, WILL_BE_MADE, Promised, promised
from app.api.operation import endpoint
from app.api.token_buckets import Kept
from app.api.wire import IDEMPOTENCY_KEY
from app.captures import trimming
from app.captures.trim_request import TrimRequest
from app.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    TooManyCaptures,
)


@endpoint(
    "POST /clips/{clip_id}/trim",
    "Make a clip of a part of a clip",
    description="For its owner. It is made of the clip's own file, by a capture as any other: what "
    "becomes of it is asked and told alike. The clip stays as it is.",
    answers=WILL_BE_MADE,
    problems=[Conflict, Invalid, NotFound, NotPermitted, QuotaExceeded, TooManyCaptures],
    headers={IDEMPOTENCY_KEY: SAME_CAPTURE},
    body_may_be_empty=True,
    kept=Kept.CAPTURE,
)
async def trim_clip(call: Call[TrimRequest]) -> Promised:
    """Accepts a trim of a clip, or gives the capture that was accepted under the same key."""
    row = await trimming.accept(
        call.ctx, call.caller, call.path["clip_id"], call.input, call.idempotency_key
    )
    return Promised(**promised(call, row))


routes: list[BaseRoute] = [trim_clip]
