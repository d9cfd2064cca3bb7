"""Headers of every answer, whoever gives it: no browser is to make anything else of it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

_HSTS_SECONDS = 365 * 24 * 3600


def site_headers(settings: Settings) -> dict[str, str]:
    """What browsers are told of all answers: by TLS only, and for whose pages."""
    # Pages of other origins that may call may also show what they were given, in a <video>.
    found = {
        "Cross-Origin-Resource-Policy": "cross-origin" if settings.cors_origins else "same-origin"
    }
    if settings.base_url.startswith("https:"):
        found["Strict-Transport-Security"] = f"max-age={_HSTS_SECONDS}"
    return found


def complete(headers: MutableHeaders, site: Mapping[str, str]) -> None:
    """Adds what an answer lacks. `site`: headers that it has unless it brings its own."""
    for name, value in site.items():
        headers.setdefault(name, value)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")
    # A browser shows a film that is opened on its own in a page that this policy would break.
    if not headers.get("Content-Type", "").startswith("video/"):
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")


class SafeHeaders:
    """Completes the headers of all that an application answers, its middleware included."""

    def __init__(self, app: ASGIApp, site: Mapping[str, str]) -> None:
        self.app = app
        self.site = dict(site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(MutableHeaders(scope=message), self.site)
            await send(message)

        await self.app(scope, receive, answer)
