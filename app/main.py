"""The web application: every resource's routes within one frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from app import metrics
from app.api import (
    archive_routes,
    assignment_routes,
    audit_routes,
    buffer_routes,
    buffer_stream,
    capture_routes,
    clip_routes,
    community_routes,
    deletion_routes,
    directory_routes,
    docs_routes,
    event_routes,
    file_routes,
    health_routes,
    marker_routes,
    openapi,
    operations_routes,
    playlist_routes,
    problems,
    quota_routes,
    recording_routes,
    rendition_routes,
    replay_routes,
    room_routes,
    session_routes,
    share_routes,
    thumbnail_routes,
    trim_routes,
    waveform_routes,
    web_state,
)
from app.api.middleware import BodyLimit, RequestFrame, cors
from app.api.operation import guarded
from app.api.request_turns import RequestTurns
from app.condition import metrics_server
from app.console import page_routes
from app.context import Context, opened
from app.kit import kit_routes
from app.links import link_routes, oembed_routes
from app.models.metric_words import WebhookResult
from app.serving.safe_headers import SafeHeaders, site_headers
from app.settings import Settings
from app.webhooks import receiver
from app.webhooks.router import Router

BODY_LIMIT_BYTES = 64 * 1024

log = structlog.get_logger()

ROUTES: list[BaseRoute] = [
    *receiver.routes,
    *session_routes.routes,
    *buffer_stream.routes,  # before the buffer that is named `events`
    *buffer_routes.routes,
    *recording_routes.routes,
    *marker_routes.routes,
    *playlist_routes.routes,
    *replay_routes.routes,
    *waveform_routes.routes,
    *thumbnail_routes.routes,
    *room_routes.routes,
    *capture_routes.routes,
    *clip_routes.routes,
    *deletion_routes.routes,
    *trim_routes.routes,
    *rendition_routes.routes,
    *share_routes.routes,
    *file_routes.routes,
    *archive_routes.routes,
    *link_routes.routes,
    *oembed_routes.routes,
    *quota_routes.routes,
    *community_routes.routes,
    *assignment_routes.routes,
    *directory_routes.routes,
    *audit_routes.routes,
    *event_routes.routes,
    *operations_routes.routes,
    *health_routes.routes,
    *openapi.routes,
    *docs_routes.routes,
    *kit_routes.routes,
    *page_routes.routes,
]


def create_app(settings: Settings, webhooks: Router, ctx: Context | None = None) -> Starlette:
    """The application; `webhooks` takes LiveKit's events.

    It stands on `ctx`, which stays open as long; without one its lifespan opens one.
    """
    metrics.begin(metrics.WEBHOOKS, webhooks.events, WebhookResult)
    metrics.begin(metrics.CREDENTIALS_REFUSED, {route.path for route in guarded(ROUTES)})
    if settings.is_placeless:
        log.warning(
            "public_url_missing",
            host=settings.host,
            why="HOST stands for all addresses: name in PUBLIC_URL the one that others use. Until "
            "then links to clips are refused",
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        standing: AbstractAsyncContextManager[Context]
        standing = nullcontext(ctx) if ctx else opened(settings)
        async with (
            standing as given,
            metrics_server.served(given),
            web_state.opened(given) as web,
        ):
            yield {"web": web, "webhooks": webhooks}

    middleware = [
        Middleware(RequestFrame),
        Middleware(BodyLimit, BODY_LIMIT_BYTES, receiver.BODY_LIMITS),
    ]
    if settings.cors_origins:
        middleware.insert(0, Middleware(CORSMiddleware, **cors(settings.cors_origins)))
    middleware.insert(0, Middleware(RequestTurns, receiver.from_livekit(settings)))
    middleware.insert(0, Middleware(SafeHeaders, site_headers(settings)))
    app = Starlette(
        routes=ROUTES,
        middleware=middleware,
        exception_handlers=problems.HANDLERS,
        lifespan=lifespan,
    )
    # A path with a slash too many is another path: no redirect, which would repeat the query.
    app.router.redirect_slashes = False
    return app
