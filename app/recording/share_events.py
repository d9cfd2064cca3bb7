"""Tells the room and EVENTS_URL what has become of a share.

It is level-triggered like the rest. The buffer's row says what was told last, and what differs from
that is told now.
"""

from __future__ import annotations

import structlog

from app.context import Context
from app.errors import Unavailable
from app.events import outbox
from app.events.contents import (
    BufferEndedContent,
    BufferRefusedContent,
    BufferStartedContent,
    EventContent,
)
from app.models import BufferRow, schema
from app.models.news_words import ShareNews
from app.recording.livekit import LiveKit
from app.recording.planner import ShareFacts

log = structlog.get_logger()


def state_to_tell(share: ShareFacts, *, active: bool, told: str) -> str:
    """What events should have said last. During a start, or a restart, nothing new."""
    if not share.live:
        return ShareNews.ENDED if told == ShareNews.STARTED else told
    if share.refusal is not None:
        return f"{ShareNews.REFUSED}:{share.refusal}"
    return ShareNews.STARTED if active else told


async def _another_is_buffered(ctx: Context, buffer: BufferRow) -> bool:
    """Whether another share of theirs is buffered, in this room or a later one of its name.

    LiveKit knows participants by names: the attribute is that of whoever is there now.
    """
    other = await ctx.store.rows(schema.Buffer).find_one(
        {
            "room": buffer["room"],
            "identity": buffer["identity"],
            "ended_at": None,
            "told": ShareNews.STARTED,
            "_id": {"$ne": buffer["_id"]},
        },
        {"_id": 1},
    )
    return other is not None


async def tell(
    ctx: Context, livekit: LiveKit, buffer: BufferRow, share: ShareFacts, *, active: bool
) -> None:
    """Tells what has changed: an event, and the attribute that clients show."""
    state = state_to_tell(share, active=active, told=buffer["told"])
    if state == buffer["told"]:
        return
    kind, _, why = state.partition(":")
    of_share = {"buffer_id": buffer["_id"], "community": buffer["community"]}
    content: EventContent
    match ShareNews(kind):
        case ShareNews.STARTED:
            content = BufferStartedContent(**of_share)
        case ShareNews.ENDED:
            content = BufferEndedContent(**of_share)
        case ShareNews.REFUSED:
            content = BufferRefusedContent(**of_share, why=why)
    try:
        shown = kind == ShareNews.STARTED or await _another_is_buffered(ctx, buffer)
        await livekit.show_buffered(buffer["room"], buffer["identity"], shown)
    except Unavailable as error:
        # the attribute is a courtesy; recording does not wait for it
        log.warning("attribute_not_set", identity=buffer["identity"], error=error.detail)
    await outbox.tell(
        ctx,
        content,
        f"{buffer['_id']}:{buffer['told_count']}",
        room=buffer["room"],
        room_sid=buffer["room_sid"],
        identity=buffer["identity"],
    )
    await ctx.store.rows(schema.Buffer).update_one(
        {"_id": buffer["_id"], "told_count": buffer["told_count"]},
        {"$set": {"told": state}, "$inc": {"told_count": 1}},
    )
