"""The credentials of a request: a token in its header, or a signature in its URL."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.requests import Request

from app.access import signatures, tokens
from app.access.tokens import Caller
from app.api import web_state
from app.context import Context
from app.errors import Unauthorized

SIGNATURE_QUERY = frozenset({"sig", "exp", "holder"})
"""Query parameters that belong to a signature, not to the resource."""


@dataclass(frozen=True)
class Reader:
    """Somebody who may ask for a media resource.

    `caller` None: a signature says so, and the resource needs no further check. `holder` names,
    opaquely, the caller that the access goes back to. URLs that are made for a reader with a
    signature expire with it. `base_url` is where callers reach us.
    """

    caller: Caller | None
    holder: str
    expires_at: datetime
    keys: tuple[bytes, ...]
    base_url: str

    def url(self, path: str, **query: str) -> str:
        """`path` and `query` signed, so that this one resource can be read without a token."""
        return signatures.signed(self.keys, path, query | {"holder": self.holder}, self.expires_at)


def caller(request: Request) -> Caller:
    """Who sent the request, by `Authorization: Bearer <token>`. Raises Unauthorized."""
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise Unauthorized("send the room's LiveKit access token: Authorization: Bearer <token>")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("the Authorization header must be: Bearer <token>")
    found = tokens.verify(web_state.of(request).ctx.settings, token.strip())
    structlog.contextvars.bind_contextvars(caller=found.identity)
    return found


def link(request: Request) -> str | None:
    """The secret of a clip's link, where that is all that a request shows."""
    shown = request.query_params
    if "sig" in shown or "authorization" in request.headers:
        return None
    return shown.get("link")


def reader(request: Request, now: datetime) -> Reader:
    """Who wants to read a media resource, by token or by `sig` and `exp`. Raises Unauthorized."""
    ctx = web_state.of(request).ctx
    query = request.query_params
    if "authorization" not in request.headers and "sig" in query:
        keys = signatures.media_keys(ctx.settings, ctx.instance)
        pairs = query.multi_items()
        expires_at = signatures.check(keys, request.scope["path"], pairs, now)
        return Reader(None, query.get("holder", ""), expires_at, keys, ctx.settings.base_url)
    return reader_of(ctx, caller(request), now)


def reader_of(ctx: Context, found: Caller, now: datetime) -> Reader:
    """A caller as a reader, to make media URLs for."""
    keys = signatures.media_keys(ctx.settings, ctx.instance)
    holder = hmac.new(keys[0], found.identity.encode(), hashlib.sha256).hexdigest()[:16]
    return Reader(found, holder, signatures.expiry(now), keys, ctx.settings.base_url)
