"""The console's page and what it is made of: / and /console/."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.api import web_state
from app.console.assets import PAGE, STATIC, VERSION, get_asset

# The page's own files and the service's own media, nothing else: no inline script or style, no
# other site, no frame, no form that leaves it. Trusted types: no string becomes markup. A film that
# the page puts together of segments has a blob's address.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
# Asked again each time: the page names the version of its parts, and what has none may change.
_CACHING = {"Cache-Control": "no-cache"}


async def get_console(request: Request) -> Response:
    """GET /"""
    headers = _CACHING | {"Content-Security-Policy": policy(web_state.of(request).clips_origin)}
    return HTMLResponse(PAGE, headers=headers)


def policy(clips_origin: str | None) -> str:
    """What the page may load. `clips_origin`: where else films are read from."""
    media = {"media-src": f"{_POLICY['media-src']} {clips_origin}"} if clips_origin else {}
    return "; ".join(f"{name} {value}" for name, value in (_POLICY | media).items())


class _Parts(StaticFiles):
    """The page's modules and styles without a version: what other pages name, and tests import."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_CACHING)
        return response


routes: list[BaseRoute] = [
    Route("/", get_console, methods=["GET"], include_in_schema=False),
    Mount(
        "/console",
        routes=[
            Route(f"/{VERSION}/{{path:path}}", get_asset, methods=["GET"]),
            Mount("/", _Parts(directory=STATIC)),
        ],
    ),
]
