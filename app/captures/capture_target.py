"""Which share a request means, as far as its caller may know of it."""

from __future__ import annotations

from datetime import datetime

from app.access import visibility
from app.access.policy import Right
from app.access.tokens import Caller
from app.captures import capture_limits
from app.captures.requests import CaptureRequest
from app.context import Context
from app.errors import BufferEmpty, NotFound
from app.models import Row
from app.models.schema import Buffer, EgressSession
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline


async def find(ctx: Context, caller: Caller, request: CaptureRequest, now: datetime) -> Timeline:
    """The timeline of the share. Raises NotFound, NotPermitted, BufferEmpty."""
    if request.buffer_id is not None:
        return await _of_buffer(ctx, caller, request.buffer_id, now)
    room, identity = request.room or "", request.sharer or caller.identity
    theirs: Row = {"room": room, "identity": identity}
    is_meant: Row = {}
    if request.track_sid is not None:
        is_meant = await _of_track(ctx, identity, request.track_sid)
    seen = await visibility.scope(ctx.store, ctx.settings, caller)
    going_on: Row = {"ended_at": None}
    for which, by in ((going_on, "since"), ({}, "ended_at")):
        wanted: Row = {"$and": [seen, is_meant, which]}
        first: list[Row] = [{"$sort": {by: -1}}, {"$limit": 1}, {"$project": {"_id": 1}}]
        for row in await ctx.store.matching(Buffer, theirs, wanted, *first):
            line = await stored_timelines.read(ctx.store, row["_id"], now, ctx.settings)
            if line is not None:
                return line
    if not visibility.sees_all_of(caller, room, identity):
        # The same whether there is such a share or not.
        raise visibility.refusal(caller, identity, room)
    raise BufferEmpty(
        f"no share of {identity!r} in {room!r} is known", retry_after=capture_limits.RETRY_SECONDS
    )


async def _of_track(ctx: Context, identity: str, track_sid: str) -> Row:
    """The condition on a buffer that its share has this track, or had it and was recorded."""
    had = {"identity": identity, "video_sid": track_sid}
    recorded = await ctx.store.rows(EgressSession).distinct("buffer_id", had)
    return {"$or": [{"video_sid": track_sid}, {"_id": {"$in": recorded}}]}


async def _of_buffer(ctx: Context, caller: Caller, buffer_id: str, now: datetime) -> Timeline:
    line = await stored_timelines.read(ctx.store, buffer_id, now, ctx.settings)
    if line is not None:
        share = visibility.share_in(line)
        permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
        if permit.right > Right.NONE:
            return line
    raise NotFound("there is no such buffer, or it is not yours to capture")
