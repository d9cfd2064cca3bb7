"""An end that is told late, or again: when it was stands in the webhook, not in our clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.access import communities
from app.context import Context
from app.models import schema
from app.recording import facts, recorder
from tests import webhooks
from tests.integration.recording.conftest import Send
from tests.integration.recording.listed import ListedLiveKit

ROOM = Room(sid="RM_1", name="studio")
ALICE = ParticipantInfo(sid="PA_1", identity="alice")
ABOUT: dict[str, Any] = {"room": webhooks.room(), "participant": webhooks.participant()}
ENDS: dict[str, tuple[dict[str, Any], Any, str]] = {
    "track_unpublished": (ABOUT | {"track": webhooks.video()}, schema.Track, "ended_at"),
    "participant_left": (ABOUT, schema.Participant, "left_at"),
    "room_finished": ({"room": webhooks.room()}, schema.Room, "finished_at"),
}
"""By webhook: what it tells of, and where its end is written."""


@pytest.mark.edge("the same webhook twice")
@pytest.mark.parametrize("name", ENDS)
async def test_a_share_ends_when_it_did_however_late_and_often_that_is_told(
    ctx: Context, send: Send, name: str
) -> None:
    members, model, field = ENDS[name]
    began = datetime.now(UTC) - timedelta(minutes=2)
    ended = datetime.now(UTC) - timedelta(seconds=40)
    await communities.configure(ctx.store, communities.DEFAULT, {"enabled": True})
    await facts.room_started(ctx.store, ROOM)
    await facts.participant_joined(ctx.store, ROOM, ALICE, began)
    share = TrackInfo(sid="TR_V", source=TrackSource.SCREEN_SHARE)
    await facts.track_published(ctx.store, ROOM, ALICE, share, began)
    fields: dict[str, Any] = {
        "room": "studio",
        "room_sid": "RM_1",
        "identity": "alice",
        "video_sid": "TR_V",
    }
    await ctx.store.create(
        schema.Buffer(id="b", participant_sid="PA_1", since=began, told_count=1, **fields)
    )
    until = datetime.fromtimestamp(int(ended.timestamp()) + 1, UTC)
    for _ in range(2):
        told = {"createdAt": str(int(ended.timestamp()))}
        await send(webhooks.event(name, **members, **told))
        [row] = await ctx.store.rows(model).find().to_list(None)
        assert row[field] <= until
    await recorder.reconcile(ctx, ListedLiveKit(), "RM_1", "alice")
    [buffer] = await ctx.store.rows(schema.Buffer).find().to_list(None)
    assert buffer["ended_at"] is not None
    assert ended - timedelta(seconds=1) <= buffer["ended_at"] <= until
