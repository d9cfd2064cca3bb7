"""Where LiveKit's webhooks arrive: verify, drop what came before, dispatch, answer.

LiveKit sends a room's events strictly one after another and waits for each answer, so nothing here
waits for LiveKit, ffmpeg or a lock. 401 what can't be verified, 413 what is too long, 503 what
could not be stored (LiveKit sends it again), 200 everything else.
"""

from __future__ import annotations

import asyncio

import structlog
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.webhook import WebhookEvent
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import metrics
from app.context import Context
from app.errors import TooLarge, Unauthorized, Unavailable
from app.settings import Settings
from app.webhooks.router import Router

log = structlog.get_logger()

MAX_BODY_BYTES = 2**20
# LiveKit tries a delivery five times within 15 s; an answer later than this helps nobody.
STORE_SECONDS = 5.0


def verify(settings: Settings, body: bytes, authorization: str | None) -> WebhookEvent:
    """The event in a request that one of our keys signed. Raises Unauthorized.

    The signature covers the body's bytes by their SHA-256, so they are hashed as they came.
    """
    if not authorization:
        raise Unauthorized(
            "The request bears no Authorization header. LiveKit signs its webhooks: set "
            "webhook.api_key in livekit.yaml to a key that is known here."
        )
    token = authorization.removeprefix("Bearer ").strip()
    failure: Exception | None = None
    try:
        text = body.decode("utf-8")
        for key, secret in settings.key_pairs.items():
            try:
                return WebhookReceiver(TokenVerifier(key, secret)).receive(text, token)
            # livekit-api raises plain Exception, jwt's errors, protobuf's ParseError and, for odd
            # claims, AttributeError or TypeError: all of them mean the same here
            except Exception as error:  # noqa: BLE001
                failure = error
    except UnicodeDecodeError as error:
        failure = error
    reason = _reason(failure)
    # Whoever can't sign is not told which keys there are.
    log.warning("webhook_not_verified", reason=reason, known_keys=list(settings.key_pairs))
    raise Unauthorized(
        f"The webhook can't be verified: {reason}. It must carry the body's hash and be signed "
        "with a key that is known here: the service's log names those."
    ) from failure


def _reason(failure: Exception | None) -> str:
    """What was wrong, without a word of what was sent: parsers quote their input."""
    if type(failure) is Exception:
        return str(failure)  # livekit-api's own, of fixed text
    return type(failure).__name__


async def receive(request: Request) -> Response:
    """POST /webhooks/livekit"""
    ctx: Context = request.app.state.ctx
    router: Router = request.app.state.webhooks
    event = verify(ctx.settings, await _body(request), request.headers.get("authorization"))
    name = event.event if router.knows(event.event) else "other"
    if not router.takes(event):
        # a camera, a microphone, a recorder: most events, of which no store needs to know
        metrics.WEBHOOKS.labels(name, "ignored").inc()
        return JSONResponse({"status": "ok"})
    try:
        async with asyncio.timeout(STORE_SECONDS):
            if event.id and await ctx.queue.seen(event.id):
                metrics.WEBHOOKS.labels(name, "duplicate").inc()
                return JSONResponse({"status": "duplicate"})
            await router.dispatch(event, ctx)
            # after the facts: killed in between, LiveKit's repetition writes the same facts again
            if event.id:
                await ctx.queue.remember(event.id)
    except (PyMongoError, RedisError, TimeoutError, OSError) as error:
        metrics.WEBHOOKS.labels(name, "failed").inc()
        log.warning("webhook_not_stored", webhook=name, id=event.id, error=repr(error))
        raise Unavailable("The event could not be stored; send it again.", retry_after=1) from error
    metrics.WEBHOOKS.labels(name, "stored").inc()
    log.info(
        "webhook",
        webhook=name,
        id=event.id,
        room=event.room.name or event.egress_info.room_name,
        identity=event.participant.identity,
    )
    return JSONResponse({"status": "ok"})


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


routes = [Route("/webhooks/livekit", receive, methods=["POST"])]
