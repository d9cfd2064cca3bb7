"""The reference, as a page for people: /docs."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.openapi import describe
from app.api.packed_documents import PackedDocument
from app.api.reference_page import reference

# Its style sheet and nothing else: no script, no form, no frame, no other site.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_pages: WeakKeyDictionary[Starlette, PackedDocument] = WeakKeyDictionary()
"""Of each application its page, once somebody has asked for it."""


async def get_docs(request: Request) -> Response:
    """GET /docs"""
    app: Starlette = request.app
    if app not in _pages:
        content = reference(describe(app.routes)).encode()
        _pages[app] = PackedDocument.of(content, "text/html; charset=utf-8")
    return _pages[app].answer(request, {"Content-Security-Policy": POLICY})


routes: list[BaseRoute] = [Route("/docs", get_docs, methods=["GET"], include_in_schema=False)]
