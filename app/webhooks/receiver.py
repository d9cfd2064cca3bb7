"""Where LiveKit's webhooks arrive: verify, note the facts, ask for what they call for, answer.

LiveKit sends a room's events strictly one after another and waits for each answer, so nothing here
waits for LiveKit, ffmpeg or a lock. 401 what can't be verified, 413 what is too long, 503 what
could not be stored (LiveKit sends it again), 200 everything else, even an id that can't be held:
LiveKit would only send the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from livekit.protocol.webhook import WebhookEvent
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from app import metrics
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Cost
from app.errors import TooLarge, Unauthorized, Unavailable
from app.models.metric_words import WebhookResult
from app.recording import foreign_text
from app.settings import Settings
from app.webhooks import signature
from app.webhooks.router import OTHER, Router
from app.webhooks.signature import NotSigned, Signed
from app.work.log_lines import LogLines

log = structlog.get_logger()

MAX_BODY_BYTES = 2**20
_PATH = "/webhooks/livekit"
_lines = LogLines("webhooks_without_lines", per_minute=60)
"""About webhooks that are not LiveKit's: anybody sends any number."""
_SIGNED = "replay.signed"
"""In a request's scope: what its signature was found to say."""
# LiveKit tries a delivery five times within 15 s; an answer later than this helps nobody.
STORE_SECONDS = 5.0


@endpoint(
    f"POST {_PATH}",
    "LiveKit's events",
    description="For livekit-server: name this URL in `webhook.urls` of livekit.yaml.",
    answers={HTTPStatus.OK: Answer("Stored, known already, refused, or of no interest.")},
    problems=[TooLarge],
    access="webhook",
    # What LiveKit has signed is never too much; what it has not is counted as it is refused.
    cost=Cost.FREE,
)
async def receive_livekit_event(call: Call[None]) -> Response:
    """Stores the facts of one event."""
    ctx, request = call.ctx, call.request
    router: Router = request.state.webhooks
    event = await _event(ctx.settings, request)
    structlog.contextvars.bind_contextvars(caller="livekit")
    name = event.event if router.knows(event.event) else OTHER
    if not router.takes(event):
        # a camera, a microphone, a recorder: most events, of which no store needs to know
        metrics.WEBHOOKS.labels(name, WebhookResult.IGNORED).inc()
        return JSONResponse({"status": "ok"})
    try:
        event_id = foreign_text.ident(event.id, "event id") if event.id else ""
        async with asyncio.timeout(STORE_SECONDS):
            # The facts first: killed in between, LiveKit's repetition writes the same facts again.
            asked = await router.dispatch(event, ctx)
            is_new = await ctx.queue.ask_for_event(event_id, asked)
    except foreign_text.NotHeld as error:
        metrics.WEBHOOKS.labels(name, WebhookResult.REFUSED).inc()
        log.warning("webhook_refused", webhook=name, id=event.id, error=str(error))
        return JSONResponse({"status": "refused"})
    except (PyMongoError, RedisError, TimeoutError, OSError) as error:
        metrics.WEBHOOKS.labels(name, WebhookResult.FAILED).inc()
        log.warning("webhook_not_stored", webhook=name, id=event.id, error=repr(error))
        raise Unavailable("The event could not be stored; send it again.", retry_after=1) from error
    if not is_new:
        metrics.WEBHOOKS.labels(name, WebhookResult.DUPLICATE).inc()
        return JSONResponse({"status": "duplicate"})
    metrics.WEBHOOKS.labels(name, WebhookResult.STORED).inc()
    log.info(
        "webhook",
        webhook=name,
        id=event.id,
        room=event.room.name or event.egress_info.room_name,
        identity=event.participant.identity,
    )
    return JSONResponse({"status": "ok"})


def from_livekit(settings: Settings) -> Callable[[Scope], bool]:
    """Whether a request is a webhook of LiveKit's: by its signature, before anything else of it."""

    def is_signed(scope: Scope) -> bool:
        return scope["path"] == _PATH and isinstance(_signed(scope, settings.key_pairs), Signed)

    return is_signed


def _signed(scope: Scope, key_pairs: Mapping[str, str]) -> Signed | Unauthorized:
    """What the request's signature says, or what is wrong with it: looked at once."""
    if _SIGNED not in scope:
        try:
            authorization = Headers(scope=scope).get("authorization")
            scope[_SIGNED] = signature.check(authorization, key_pairs)
        except Unauthorized as error:
            scope[_SIGNED] = error
    found: Signed | Unauthorized = scope[_SIGNED]
    return found


async def _event(settings: Settings, request: Request) -> WebhookEvent:
    """The event of a request. Of one that shows no signature the body is not read."""
    try:
        signed = _signed(request.scope, settings.key_pairs)
        if isinstance(signed, Unauthorized):
            raise signed
        return signed.event(await _body(request))
    except NotSigned as error:
        # Whoever can't sign is not told which keys there are.
        if _lines.take():
            known = list(settings.key_pairs)
            log.warning("webhook_not_verified", reason=error.reason, known_keys=known)
        raise


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


routes: list[BaseRoute] = [receive_livekit_event]
BODY_LIMITS = {_PATH: MAX_BODY_BYTES}
