"""What the room and EVENTS_URL are told of what has become of a share.

It is level-triggered like the rest. The buffer's row says what was told last, and what differs from
that is told now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.errors import Unavailable
from app.events.contents import (
    BufferEncodingContent,
    BufferEndedContent,
    BufferRefusedContent,
    BufferStartedContent,
    EventContent,
)
from app.models import BufferRow, SessionRole, SessionRow
from app.models.news_words import ShareNews
from app.recording.known import Known
from app.recording.livekit import LiveKit
from app.recording.share_facts import ShareFacts

log = structlog.get_logger()


@dataclass(frozen=True)
class News:
    """What is to be told of a share. `state` and `encoding` are what was told then.

    `is_extra`: nothing that began bounds how often it is told, as it does for a start and its end.
    """

    state: str
    content: EventContent
    encoding: str
    is_extra: bool = False


def state_to_tell(share: ShareFacts, *, active: bool, told: str) -> str:
    """What events should have said last. During a start, or a restart, nothing new."""
    if not share.live:
        return ShareNews.ENDED if told == ShareNews.STARTED else told
    if share.refusal is not None:
        return f"{ShareNews.REFUSED}:{share.refusal}"
    return ShareNews.STARTED if active else told


def news(buffer: BufferRow, share: ShareFacts, active: Sequence[SessionRow]) -> News | None:
    """What is to be told of a share, if anything. `active`: its sessions that record."""
    state = state_to_tell(share, active=bool(active), told=buffer["told"])
    of_share = {"buffer_id": buffer["_id"], "community": buffer["community"]}
    told = buffer["told_encoding"]
    current = next((row for row in active if row["role"] == SessionRole.CURRENT), None)
    if state == buffer["told"]:
        if state != ShareNews.STARTED or current is None:
            return None
        encoding, why = current["encoding"], current["encoding_why"]
        if encoding in ("", told) or (not told and why is None):
            return None
        changed = BufferEncodingContent(**of_share, encoding=encoding, why=why)
        return News(state, changed, encoding)
    kind, _, refusal = state.partition(":")
    match ShareNews(kind):
        case ShareNews.STARTED:
            encoding = (current or active[0])["encoding"]
            return News(state, BufferStartedContent(**of_share), encoding)
        case ShareNews.ENDED:
            return News(state, BufferEndedContent(**of_share), told)
        case ShareNews.REFUSED:
            is_extra = buffer["told"] != ShareNews.STARTED
            return News(state, BufferRefusedContent(**of_share, why=refusal), told, is_extra)


async def show(livekit: LiveKit, known: Known, buffer: BufferRow, told: News) -> None:
    """Sets the attribute that clients show, as it will be once this is told."""
    shown = told.state == ShareNews.STARTED or _another_is_buffered(known, buffer)
    try:
        await livekit.show_buffered(buffer["room"], buffer["identity"], shown)
    except Unavailable as error:
        # the attribute is a courtesy; recording does not wait for it
        log.warning("attribute_not_set", identity=buffer["identity"], error=error.detail)


def _another_is_buffered(known: Known, buffer: BufferRow) -> bool:
    """Whether another share of theirs is buffered, in this room or a later one of its name.

    LiveKit knows participants by names: the attribute is that of whoever is there now.
    """
    return any(
        other["room"] == buffer["room"]
        and other["ended_at"] is None
        and other["told"] == ShareNews.STARTED
        and other["_id"] != buffer["_id"]
        for other in [*known.buffers, *known.elsewhere]
    )
