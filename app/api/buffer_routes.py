"""What is kept of the shares: /buffers."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import buffer_views, marker_routes, share_lookup, wire
from app.api.buffer_views import BufferDetail, BufferPage
from app.api.call import Call
from app.api.json_types import Cursor, PageSize
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.captures import share_erasure
from app.errors import NotFound, NotPermitted
from app.models import BufferState
from app.models.input_types import Name, Seconds
from app.viewing import buffer_pages, buffer_states, stored_timelines
from app.viewing.timeline import Timeline

_STATE = "|".join(buffer_states.NAMES)
States = Annotated[str, Field(pattern=rf"^({_STATE})(,({_STATE}))*$", max_length=200)]
"""Comma separated names of `app.viewing.buffer_states`."""
_LONGEST = timedelta(days=365)
"""No share is kept for as long."""


class BufferQuery(wire.Input):
    """Which buffers."""

    room: Name | None = Field(None, description="Only of this room.")
    sharer: Name | None = Field(
        None, description="Only of this one's shares.", examples=["alice"], alias="identity"
    )
    state: States | None = Field(
        None,
        description="Only in these states, comma separated; `active`: any but `ended` and "
        "`refused`.",
        examples=["recording,lagging"],
    )
    limit: PageSize = 50
    next: Cursor = None


@endpoint(
    "GET /buffers",
    "The buffers that the caller may see",
    description="Their own shares, and those that a community's rules or a role let them see: live "
    "ones, and those of which something is still kept. A page may hold fewer than `limit`, or "
    "none, and still have a `next`.",
    answers={HTTPStatus.OK: Answer("A page of buffers.")},
)
async def list_buffers(call: Call[BufferQuery]) -> BufferPage:
    """Lists the buffers that the caller may see, a page at a time."""
    ctx, given = call.ctx, call.input
    states = frozenset(BufferState) if given.state is None else buffer_states.read(given.state)
    page = await buffer_pages.page(
        ctx.store,
        await visibility.scope(ctx.store, ctx.settings, call.caller),
        given.model_dump(by_alias=True, exclude_none=True, include={"room", "sharer"}),
        states,
        limit=given.limit,
        after=given.next,
    )
    lines = await _lines(call, [row["_id"] for row in page.items])
    if given.state is not None:
        lines = [line for line in lines if line.state in states]
    items = await buffer_views.views(call.state, call.caller, lines, call.now)
    return BufferPage(items=items, next=page.next)


async def _lines(call: Call[BufferQuery], ids: list[str]) -> list[Timeline]:
    """The timelines of these buffers, in their order."""
    which: dict[str, object] = {"_id": {"$in": ids}}
    lines = await stored_timelines.listing(
        call.ctx.store, which, call.now, call.ctx.settings, limit=len(ids)
    )
    return sorted(lines, key=lambda line: ids.index(line.buffer_id))


@endpoint(
    "GET /buffers/{buffer_id}",
    "A buffer and its timeline",
    description="Where there is media and where there is none, on the wall clock, and what was "
    "marked. A caller who may watch only what happened while they were there sees no more "
    "than that.",
    answers={HTTPStatus.OK: Answer("The buffer.")},
    problems=[NotFound],
)
async def get_buffer(call: Call[None]) -> BufferDetail:
    """Gives one buffer, with its spans, gaps and marks."""
    ctx, caller, now = call.ctx, call.caller, call.now
    line = await share_lookup.seen_timeline(call)
    share = visibility.share_in(line)
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    reader = await share_lookup.reader_of(call, share.identity)
    line, buffer = buffer_views.shown(reader, line, permit, ctx.settings.max_capture)
    return BufferDetail(
        **buffer_views.timeline_members(line, buffer),
        markers=await marker_routes.of_buffer(ctx, caller, line.buffer_id, share, now),
    )


class EraseQuery(wire.Input):
    """How much of a buffer is to be deleted."""

    last: Seconds | None = Field(
        None,
        description="The last so many seconds before this moment; a number, or `30s`, `2m`. "
        "Segments that hold any of them go whole. Without: everything up to now.",
        examples=[60],
    )


@endpoint(
    "DELETE /buffers/{buffer_id}",
    "Delete what is kept of a share up to now, or the last part of it",
    description="Acts at once: nothing of it is shown, and its files go within seconds. Where all "
    "goes, captures of it are cancelled; where a part goes, those that are just being made fail, "
    "and others are made without it. Recording goes on; clips made before stay. For the sharer, "
    "and the admins of its community, its room and the instance.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is gone.")},
    problems=[NotFound, NotPermitted],
    kept=Kept.CHANGE,
)
async def delete_buffer(call: Call[EraseQuery]) -> None:
    """Deletes a buffer, or its last part, that is the caller's or theirs to administrate."""
    row = await share_lookup.seen(call, call.path["buffer_id"])
    if not await visibility.may_erase(call.ctx.store, call.caller, visibility.share_of(row)):
        raise NotPermitted(
            f"only {row['identity']!r}, whose share it is, and the admins of its community, its "
            "room or the instance may delete it"
        )
    if call.input.last is not None:
        length = min(call.input.last, _LONGEST.total_seconds())
        await share_erasure.erase_last(call.ctx, call.caller, row, timedelta(seconds=length))
        return
    await share_erasure.erase_share(call.ctx, call.caller, row)
    call.state.generations.forget([row["identity"]])


routes: list[BaseRoute] = [list_buffers, get_buffer, delete_buffer]
