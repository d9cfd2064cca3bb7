"""The kit's module and its types: /kit/replay.js, /kit/replay.d.ts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.packed_documents import PackedDocument

FOLDER = Path(__file__).parent

# Anybody's page may import it, whoever may call the API: it is the same for all, and has no secret.
_FOR_ANY_PAGE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def get_kit(request: Request) -> Response:
    """GET /kit/replay.js"""
    document = _document("replay.js", "text/javascript; charset=utf-8")
    return document.answer(request, _FOR_ANY_PAGE)


async def get_kit_types(request: Request) -> Response:
    """GET /kit/replay.d.ts"""
    document = _document("replay.d.ts", "application/typescript; charset=utf-8")
    return document.answer(request, _FOR_ANY_PAGE)


@cache
def _document(name: str, media_type: str) -> PackedDocument:
    return PackedDocument.of((FOLDER / name).read_bytes(), media_type)


routes: list[BaseRoute] = [
    Route("/kit/replay.js", get_kit, methods=["GET"], include_in_schema=False),
    Route("/kit/replay.d.ts", get_kit_types, methods=["GET"], include_in_schema=False),
]
