"""What clients are shown of a share: the attribute of whoever is in the room of that name now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.context import Context
from app.models import schema
from app.models.news_words import ShareNews
from app.recording import known, share_events
from app.recording.livekit import LiveKit
from app.recording.share_facts import ShareFacts

NOW = datetime.now(UTC)


class Shown(LiveKit):
    """Keeps what clients would be shown."""

    async def show_buffered(self, room: str, identity: str, buffered: bool) -> None:
        self.last = (room, identity, buffered)


@pytest.mark.parametrize("goes_on", [True, False])
async def test_the_end_of_an_earlier_room_leaves_what_a_later_one_shows(
    ctx: Context, goes_on: bool
) -> None:
    """They have the same name, and the same person shares in both."""
    common: dict[str, Any] = {
        "room": "room", "identity": "ann", "participant_sid": "PA", "community": "default",
        "since": NOW, "told": ShareNews.STARTED,
    }  # fmt: skip
    for number, ended_at in ((1, NOW), (2, None if goes_on else NOW)):
        fields = {"id": f"b{number}", "room_sid": f"RM{number}", "video_sid": f"TR{number}"}
        await ctx.store.create(schema.Buffer(**common | fields, ended_at=ended_at))
    found = await known.read(ctx.store, "RM1", "ann")
    (earlier,) = found.buffers
    livekit, share = Shown(ctx.settings), ShareFacts(live=False, video_sid="TR1", published_at=NOW)
    news = share_events.news(earlier, share, [])
    assert news is not None
    await share_events.show(livekit, found, earlier, news)
    assert livekit.last == ("room", "ann", goes_on)
    await livekit.close()
