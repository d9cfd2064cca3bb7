"""What becomes of the buffers, as it happens: /buffers/events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from pydantic import Field
from pymongo.errors import PyMongoError
from sse_starlette import ServerSentEvent
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import auth, buffer_views, wire
from app.api.auth import Reader
from app.api.buffer_views import BufferView
from app.api.call import Call
from app.api.event_streams import EventStream
from app.api.json_types import AsText, Id, only
from app.api.operation import Answer, endpoint
from app.api.web_state import WebState
from app.errors import TooManyRequests
from app.models import Row, conditions
from app.models.input_types import Name
from app.viewing import looks
from app.viewing.looks import Looks
from app.viewing.timeline import Timeline

RIGHTS_SECONDS = 3.0
"""How old what is known of a caller's rights may be."""
TURN_SECONDS = 1.0

log = structlog.get_logger()


class BufferEventQuery(wire.Input):
    """Which buffers."""

    room: Name | None = Field(None, description="Only of this room.")
    sharer: Name | None = Field(
        None, description="Only of this one's shares.", examples=["alice"], alias="identity"
    )


class Snapshot(wire.View):
    """The buffers that there are."""

    items: list[BufferView] = Field(description="Newest share first.")


class GoneView(wire.View):
    """A buffer that is not there any more, or not to be seen."""

    id: Id = Field(description="Which one.")


class SnapshotEvent(wire.View):
    """The first server-sent event of a stream of buffers."""

    event: Annotated[str, only("snapshot")] = Field(description="Its name.")
    data: Annotated[Snapshot, AsText()] = Field(description="All buffers, as JSON.")


class BufferEvent(wire.View):
    """A server-sent event: anything of a buffer has changed."""

    event: Annotated[str, only("buffer")] = Field(description="Its name.")
    data: Annotated[BufferView, AsText()] = Field(description="The whole buffer, as JSON.")


class GoneEvent(wire.View):
    """A server-sent event: a buffer is not there any more, or not to be seen."""

    event: Annotated[str, only("gone")] = Field(description="Its name.")
    data: Annotated[GoneView, AsText()] = Field(description="Which one, as JSON.")


@endpoint(
    "GET /buffers/events",
    "The buffers that the caller may see, as they change",
    description="Server-sent events: first `snapshot`, {items} as GET /buffers tells them, of "
    "what is live, refused, or still holds something: the newest 200. Then `buffer`, such an "
    "item, when anything of it has changed, at most once a second each; and `gone`, {id}. The "
    "stream ends with the caller's token.",
    answers={
        HTTPStatus.OK: Answer(
            "The events.",
            media_type="text/event-stream",
            events=(SnapshotEvent, BufferEvent, GoneEvent),
        )
    },
    problems=[TooManyRequests],
)
async def get_buffer_events(call: Call[BufferEventQuery]) -> Response:
    """Streams what becomes of the buffers that the caller may see."""
    ctx, caller = call.ctx, call.caller
    # Before the stream begins: an error of the store is an answer of its own.
    scope = await visibility.scope(ctx.store, ctx.settings, caller)
    if call.request.method == "HEAD":
        return Response(media_type="text/event-stream")
    news = _News(call.state, call.reader, call.input, scope, former=call.is_former)
    return EventStream(news.events(call.state.looks), call.state.stream_slots, caller.identity)


class _News:
    """What one caller has been shown, and may be shown."""

    def __init__(
        self, state: WebState, given: Reader, query: BufferEventQuery, scope: Row, *, former: bool
    ) -> None:
        assert given.caller is not None
        self._state, self._given = state, given
        self._caller = given.caller
        self._wanted = query.model_dump(by_alias=True, exclude_none=True)
        self._ways = conditions.alternatives(scope, self._wanted)
        self._former = former
        self._checked = time.monotonic()
        self._versions: dict[str, tuple[object, bool, int]] | None = None
        """Of each buffer what was shown of it: its version, whether it can be watched, and the
        generation of its URLs."""

    async def events(self, source: Looks) -> AsyncIterator[ServerSentEvent]:
        """The events, until the caller's token expires, or what they were given is ended."""
        with source.followed(self._ways) as follower:
            while not self._caller.expired(datetime.now(UTC)):
                turn = time.monotonic()
                lines = await follower.next(TURN_SECONDS)
                news = [] if lines is None else await self._news(lines)
                if news is None:
                    return
                follower.ways = self._ways
                for event in news:
                    yield event
                await asyncio.sleep(max(0.0, turn + TURN_SECONDS - time.monotonic()))

    def _sees(self, share: Mapping[str, Any]) -> bool:
        return conditions.matches_any(self._ways, share)

    async def _news(self, lines: Sequence[Timeline]) -> list[ServerSentEvent] | None:
        """What has changed; nothing where the store can't say what the caller may see.

        None if the stream is ended.
        """
        try:
            if not await auth.goes_on(self._state, self._given, datetime.now(UTC)):
                return None
            now = time.monotonic()
            everything = now - self._checked >= RIGHTS_SECONDS
            if everything:
                store, settings = self._state.ctx.store, self._state.ctx.settings
                scope = await visibility.scope(store, settings, self._caller)
                self._ways = conditions.alternatives(scope, self._wanted)
            news = await self._compared(lines, everything=everything)
        except PyMongoError as error:
            log.warning("buffer_events_without_store", error=str(error)[:300])
            return []
        if everything:
            self._checked = now
        return news

    async def _compared(
        self, lines: Sequence[Timeline], *, everything: bool
    ) -> list[ServerSentEvent]:
        known = self._versions or {}
        seen = {
            line.buffer_id: looks.version(line)
            for line in lines
            if self._sees(asdict(visibility.share_in(line)))
        }
        due = [
            line
            for line in lines
            if (found := seen.get(line.buffer_id)) is not None
            and (everything or line.buffer_id not in known or known[line.buffer_id][0] != found)
        ]
        items = await self._views(due) if due else []
        versions = {each: known[each] for each in seen if each in known}
        of = await self._state.generations.of_all({item.sharer for item in items})
        versions |= {
            item.id: (seen[item.id], item.replay_url is not None, of[item.sharer].sharing)
            for item in items
        }
        first, self._versions = self._versions is None, versions
        if first:
            return [self._event("snapshot", Snapshot(items=items))]
        gone = [self._event("gone", GoneView(id=each)) for each in known if each not in seen]
        changed = [item for item in items if versions[item.id] != known.get(item.id)]
        return gone + [self._event("buffer", item) for item in changed]

    def _event(self, name: str, view: wire.View) -> ServerSentEvent:
        return ServerSentEvent(wire.written(view, former=self._former), event=name)

    async def _views(self, lines: Sequence[Timeline]) -> list[BufferView]:
        return await buffer_views.views(self._state, self._caller, lines, datetime.now(UTC))


routes: list[BaseRoute] = [get_buffer_events]
