"""A refusal is told: in the buffer's state, by an event, by a metric; its end is, too."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import REGISTRY

from app import models
from app.access import communities
from app.buffer import paths, timeline
from app.context import Context
from app.recording import recorder
from app.recording.livekit import LiveKit

NOW = datetime.now(UTC)


def refusals() -> float:
    labels = {"why": "community-off"}
    return REGISTRY.get_sample_value("replay_buffer_refusals_total", labels) or 0.0


async def test_a_refused_share_says_so_once_and_why(ctx: Context) -> None:
    """Although LiveKit does not answer: its attribute is a courtesy."""
    buffer_id = paths.buffer_id(ctx.instance, "RM", "TR")
    whose = {"room": "room", "room_sid": "RM", "identity": "ann", "participant_sid": "PA"}
    await ctx.store.create(
        models.Buffer(id=buffer_id, video_sid="TR", community="guild", since=NOW, **whose)
    )
    await ctx.store.create(models.Track(sid="TR", video=True, published_at=NOW, **whose))
    await communities.configure(ctx.store, "guild", {"enabled": False})
    before = refusals()
    livekit = LiveKit(ctx.settings)
    try:
        for _ in range(2):
            await recorder.reconcile(ctx, livekit, "RM", "ann")
    finally:
        await livekit.close()
    told = await timeline.read(ctx.store, buffer_id, datetime.now(UTC), ctx.settings)
    assert told is not None
    assert (told.state, told.why) == ("refused", "community-off")
    (event,) = await ctx.store.rows(models.OutgoingEvent).find({}).to_list(None)
    assert (event["event"], event["data"]["why"]) == ("buffer_refused", "community-off")
    assert refusals() == before + 1
