"""The credentials of a request: a token in its header, or a signature in its URL."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import StreamingResponse

from app.access import generations, signatures, tokens
from app.access.generations import Endable
from app.access.tokens import Caller
from app.api import answer_watch, versions, web_state
from app.api.answer_watch import WatchedAnswer
from app.api.web_state import WebState
from app.errors import Unauthorized

SIGNATURE_QUERY = frozenset({"sig", "exp", "holder", "gen", "sharer", "grant"})
"""Query parameters that belong to a signature, not to the resource."""
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Reader:
    """Somebody who may ask for a media resource.

    `caller` None: a signature says so, and the resource needs no further check. `holder` names,
    opaquely, the caller that the access goes back to, `generation` is that of their rights. URLs
    that are made for a reader with a signature expire with it. `base_url` is where callers reach
    us. `sharer`: of what is somebody's share, how their part of it is named in URLs. `grant`: of a
    clip, which grant of its owner's a signature goes back to; None: it is the owner's own.
    """

    caller: Caller | None
    holder: str
    generation: str
    expires_at: datetime
    keys: tuple[bytes, ...]
    base_url: str
    sharer: str | None = None
    grant: int | None = None

    def url(self, path: str, **query: str) -> str:
        """`path` under the version, and `query`, signed: who has that reads this one resource."""
        named = {"holder": self.holder, "gen": self.generation}
        if self.sharer is not None:
            named["sharer"] = self.sharer
        return signatures.signed(self.keys, versions.current(path), query | named, self.expires_at)


async def caller(request: Request) -> Caller:
    """Who sent the request, by `Authorization: Bearer <token>`. Raises Unauthorized."""
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise Unauthorized("send the room's LiveKit access token: Authorization: Bearer <token>")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("the Authorization header must be: Bearer <token>")
    state = web_state.of(request)
    found = tokens.verify(state.ctx.settings, token.strip())
    structlog.contextvars.bind_contextvars(caller=found.identity)
    if not await _is_signed_in(state, found):
        raise Unauthorized("the session was ended: sign in again with a fresh token of the app")
    return found


async def goes_on(state: WebState, given: Reader, now: datetime) -> bool:
    """Whether what a reader was given, such as a stream, was not ended, and `now` not expired."""
    found = given.caller
    if found is None:
        return now < given.expires_at and await _is_current(state, given)
    if found.expired(now) or not await _is_signed_in(state, found):
        return False
    known = await state.generations.of(found.identity)
    return known.accept(Endable.WATCHING, given.generation) and await _is_shared(state, given)


def watched(state: WebState, given: Reader, streamed: StreamingResponse) -> WatchedAnswer:
    """What is sent to a reader, as long as what let them in was not ended.

    Where that merely expires slow readers get it whole.
    """
    return answer_watch.watched(streamed, partial(goes_on, state, given, datetime.now(UTC)))


async def _is_signed_in(state: WebState, found: Caller) -> bool:
    """Whether a caller's session was not ended; a LiveKit token is none."""
    if found.since is None:
        return True
    known = await state.generations.of(found.identity)
    return known.accept(Endable.SESSIONS, found.generation)


def link(request: Request) -> str | None:
    """The secret of a clip's link, where that is all that a request shows."""
    shown = request.query_params
    if "sig" in shown or "authorization" in request.headers:
        return None
    return shown.get("link")


async def reader(request: Request, now: datetime) -> Reader:
    """Who wants to read a media resource, by token or by `sig` and `exp`. Raises Unauthorized."""
    state = web_state.of(request)
    ctx, query = state.ctx, request.query_params
    if "authorization" not in request.headers and "sig" in query:
        keys = signatures.media_keys(ctx.settings, ctx.instance)
        pairs = query.multi_items()
        expires_at = signatures.check(keys, request.scope["path"], pairs, now)
        signed = Reader(
            caller=None,
            holder=query.get("holder", ""),
            generation=query.get("gen", ""),
            expires_at=expires_at,
            keys=keys,
            base_url=ctx.settings.base_url,
            sharer=query.get("sharer"),
            grant=_grant(query.get("grant")),
        )
        if not await _is_current(state, signed):
            raise Unauthorized("the URL was ended: ask for the resource that named it again")
        return signed
    return await reader_of(state, await caller(request), now)


def _grant(told: str | None) -> int | None:
    """The number of a grant in a signed URL, if it tells one. Raises Unauthorized."""
    if told is None:
        return None
    if not _NUMBER.fullmatch(told):
        raise Unauthorized(f"grant={told[:80]!r} is no number: take the URL as the service gave it")
    return int(told)


async def reader_of(state: WebState, found: Caller, now: datetime) -> Reader:
    """A caller as a reader, to make media URLs for: these end with the token at the latest."""
    ctx = state.ctx
    keys = signatures.media_keys(ctx.settings, ctx.instance)
    expires_at = signatures.expiry(now)
    return Reader(
        caller=found,
        holder=generations.holder(keys[0], found.identity),
        generation=str((await state.generations.of(found.identity)).watching),
        expires_at=min(expires_at, found.good_until or expires_at),
        keys=keys,
        base_url=ctx.settings.base_url,
    )


async def renewed(state: WebState, reader: Reader, now: datetime) -> Reader:
    """The same reader later, to make media URLs for that are good as long as can be."""
    return reader if reader.caller is None else await reader_of(state, reader.caller, now)


def as_owner(reader: Reader, owner: str) -> Reader:
    """The reader; with a signature that was made for `owner`, as that caller."""
    if reader.caller is None and reader.holder in {
        generations.holder(key, owner) for key in reader.keys
    }:
        return replace(reader, caller=Caller(owner))
    return reader


async def readers_of_shares(
    state: WebState, reader: Reader, sharers: Collection[str]
) -> dict[str, Reader]:
    """By sharer: the reader, to make URLs of that one's shares for."""
    if reader.caller is None:
        return dict.fromkeys(sharers, reader)  # the signature is of one share
    known = await state.generations.of_all(sharers)
    return {
        each: replace(
            reader,
            sharer=f"{generations.holder(reader.keys[0], each)}.{known[each].sharing}",
        )
        for each in sharers
    }


async def _is_current(state: WebState, signed: Reader) -> bool:
    """Whether what a signed URL goes back to was not ended meanwhile."""
    known = await state.generations.of_holder(signed.holder)
    return known.accept(Endable.WATCHING, signed.generation) and await _is_shared(state, signed)


async def _is_shared(state: WebState, given: Reader) -> bool:
    """Whether what is somebody's share was not ended meanwhile by its sharer, or for all."""
    if given.sharer is None:
        return True
    named, _, generation = given.sharer.partition(".")
    known = await state.generations.of_holder(named)
    return known.accept(Endable.SHARING, generation)
