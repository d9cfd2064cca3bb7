"""The console's files as a browser gets them: under names that change with them, compressed.

A name has the version of all files in it, so that a browser may keep them for good and a page never
runs with another version's parts. The page names at once what its first view is made of: found out
module by module, each step would take the line's whole way to and fro.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FIRST = ("main.js", "buffers/cards.js")
_TYPE_IMPORT = re.compile(r"@import .*")
_IMPORT = re.compile(r"""^(?:import|export)\b[^'";]*?(?:from )?'(\.[^']+)';""", re.MULTILINE)
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True)
class Asset:
    """A file: its bytes and its type."""

    body: bytes
    media_type: str

    @cached_property
    def packed(self) -> bytes:
        """The bytes compressed by gzip, once somebody wants them so."""
        return gzip.compress(self.body, mtime=0)


def _assets() -> dict[str, Asset]:
    """By path below `static`, with slashes: the page itself is none."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.relative_to(STATIC).as_posix()] = Asset(body, _TYPES[path.suffix])
    return found


def imported(name: str, assets: dict[str, Asset]) -> list[str]:
    """A module and all that it can't run without, each once, the nearest first."""
    found = [name]
    for module in found:
        code = _TYPE_IMPORT.sub("", assets[module].body.decode())
        for path in _IMPORT.findall(code):
            named = posixpath.normpath(posixpath.join(posixpath.dirname(module), path))
            if named not in found:
                found.append(named)
    return found


def _version(assets: dict[str, Asset]) -> str:
    digest = hashlib.sha256()
    for name, asset in assets.items():
        digest.update(f"{name} {len(asset.body)}\n".encode())
        digest.update(asset.body)
    return digest.hexdigest()[:16]


def _page(base: str, assets: dict[str, Asset]) -> str:
    """index.html with the names that the files have now."""
    first = dict.fromkeys(name for entry in _FIRST for name in imported(entry, assets))
    preload = "".join(
        f'    <link rel="modulepreload" href="{base}{name}">\n'
        for name in first
        if name != _FIRST[0]
    )
    page = (STATIC / "index.html").read_text().replace('="console/', f'="{base}')
    return page.replace("  </head>", f"{preload}  </head>")


ASSETS = _assets()
VERSION = _version(ASSETS)
PAGE = _page(f"console/{VERSION}/", ASSETS)


async def get_asset(request: Request) -> Response:
    """GET /console/{version}/{path}"""
    asset = ASSETS.get(request.path_params["path"])
    if asset is None:
        raise HTTPException(404)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(asset.body, headers=_FOR_GOOD, media_type=asset.media_type)
    headers = _FOR_GOOD | {"Content-Encoding": "gzip"}
    return Response(asset.packed, headers=headers, media_type=asset.media_type)
