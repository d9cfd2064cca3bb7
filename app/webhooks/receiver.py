"""Where LiveKit's webhooks arrive: verify, note the facts, ask for what they call for, answer.

LiveKit sends a room's events strictly one after another and waits for each answer, so nothing here
waits for LiveKit, ffmpeg or a lock. 401 what can't be verified, 413 what is too much, 503
what could not be stored (LiveKit sends it again), 200 everything else, even an id that can't be
held: LiveKit would only send the same again. Whoever makes an event too much gains nothing: its
room is compared with LiveKit then.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

import structlog
from google.protobuf.json_format import ParseError
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
from app.context import Context
from app.errors import TooLarge, Unauthorized, Unavailable
from app.models.metric_words import WebhookResult
from app.recording import foreign_text
from app.settings import Settings
from app.tracing import trace
from app.webhooks import event_text, signature
from app.webhooks.router import OTHER, Router
from app.webhooks.signature import NotSigned, Signed
from app.work import errands
from app.work.log_lines import LogLines

log = structlog.get_logger()

MAX_BODY_BYTES = 2 * 2**20
"""LiveKit holds a room's metadata, and somebody's metadata and attributes, to 64 KB each; control
characters are six bytes each in JSON. The names of their tracks it does not hold to anything."""
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
    ctx = call.ctx
    router: Router = call.request.state.webhooks
    event = await _read(call, router)
    structlog.contextvars.bind_contextvars(caller="livekit")
    if event is None or not router.takes(event):
        # a camera, a microphone, a recorder: most events, of which no store needs to know
        name = event.event if event is not None and router.knows(event.event) else OTHER
        metrics.WEBHOOKS.labels(name, WebhookResult.IGNORED).inc()
        return JSONResponse({"status": "ok"})
    name = event.event
    trace.tell({"replay.webhook.event": name})
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
        if scope["path"] != _PATH:
            return False
        return isinstance(_signed(scope, settings), Signed)

    return is_signed


def _signed(scope: Scope, settings: Settings) -> Signed | Unauthorized:
    """What the request's signature says, or what is wrong with it: looked at once."""
    if _SIGNED not in scope:
        try:
            authorization = Headers(scope=scope).get("authorization")
            signed = signature.check(authorization, settings.key_pairs)
            if signed.key in settings.tenant_keys:
                # LiveKit signs with webhook.api_key alone: others hold this one, too.
                raise NotSigned(f"{signed.key} is one of TENANT_KEYS")
            scope[_SIGNED] = signed
        except Unauthorized as error:
            scope[_SIGNED] = error
    found: Signed | Unauthorized = scope[_SIGNED]
    return found


async def _read(call: Call[None], router: Router) -> WebhookEvent | None:
    """The event of a request; None of one that no handler is known for.

    Of a request that shows no signature of LiveKit's the body is not read.
    """
    try:
        signed = _signed(call.request.scope, call.ctx.settings)
        if isinstance(signed, Unauthorized):
            raise signed
        body = await _begun_body(call.request)
        try:
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
            async with call.state.in_flight.reading(signed.key):
                event = _event(signed, body, router)
                await asyncio.sleep(0)  # all else that is due has its turn before the next one
        except TooLarge as error:
            await _look_instead(call.ctx, signed, body, router, error)
            raise
        return event
    except NotSigned as error:
        # Whoever can't sign is not told which keys there are.
        if _lines.take():
            known = list(call.ctx.settings.own_pairs)
            log.warning("webhook_not_verified", reason=error.reason, known_keys=known)
        raise


def _event(signed: Signed, body: bytes, router: Router) -> WebhookEvent | None:
    """The event in a body; None of one that no handler is known for.

    Raises NotSigned of another body than the one that was signed, or one that is no event, TooLarge
    of one that holds too much.
    """
    signed.check(body)
    name = event_text.name_of(body)
    if name is not None and not router.knows(name):
        return None
    try:
        return event_text.event_of(body)
    except event_text.TooMuch as error:
        raise TooLarge(f"{error}: LiveKit sends none such.") from error
    except (ValueError, ParseError, RecursionError) as error:
        raise NotSigned(type(error).__name__) from error


async def _look_instead(
    ctx: Context, signed: Signed, body: bytes, router: Router, error: TooLarge
) -> None:
    """Has the room of an event that is not read compared with LiveKit: it may tell that they left.

    Where the body was not read to its end, its hash is not known; of what it says only the room is
    taken, of which LiveKit is asked.
    """
    name, room_sid = event_text.name_of(body), event_text.room_of(body)
    is_known = name is not None and router.knows(name)
    metrics.WEBHOOKS.labels(name if name and is_known else OTHER, WebhookResult.REFUSED).inc()
    if _lines.take(signed.key):
        log.warning("webhook_refused", webhook=name, key=signed.key, error=error.detail)
    if is_known and room_sid is not None:
        with suppress(RedisError, OSError):  # the next survey looks, too
            await ctx.queue.ask(errands.ATTEND, room_sid)


async def _begun_body(request: Request) -> bytes:
    """The body; one that is too large is not read to its end."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        chunks.append(chunk)
        if size > MAX_BODY_BYTES:
            break
    return b"".join(chunks)


routes: list[BaseRoute] = [receive_livekit_event]
BODY_LIMITS = {_PATH: sys.maxsize}
"""What is too large is refused here, once it is known whose room it tells of."""
