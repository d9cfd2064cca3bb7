"""A refusal is told: in the buffer's state, by an event, by a metric; its end is, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from prometheus_client import REGISTRY

from app.access import communities
from app.buffer import paths
from app.context import Context
from app.models import schema
from app.recording import recorder
from app.recording.livekit import LiveKit
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline

NOW = datetime.now(UTC)


Share = Callable[[], Awaitable[Timeline]]
"""Reconciles it, and gives what is then told of it."""


def refusals(why: str) -> float:
    return REGISTRY.get_sample_value("replay_buffer_refusals_total", {"why": why}) or 0.0


@pytest_asyncio.fixture
async def share(ctx: Context) -> AsyncIterator[Share]:
    """ann's share in a room of the community `guild`, and a LiveKit that does not answer."""
    buffer_id = paths.buffer_id(ctx.instance, "RM", "TR")
    whose: dict[str, Any] = {
        "room": "room",
        "room_sid": "RM",
        "identity": "ann",
        "participant_sid": "PA",
    }
    await ctx.store.create(
        schema.Buffer(id=buffer_id, video_sid="TR", community="guild", since=NOW, **whose)
    )
    await ctx.store.create(schema.Track(sid="TR", video=True, published_at=NOW, **whose))
    livekit = LiveKit(ctx.settings)

    async def reconciled() -> Timeline:
        await recorder.reconcile(ctx, livekit, "RM", "ann")
        told = await stored_timelines.read(ctx.store, buffer_id, datetime.now(UTC), ctx.settings)
        assert told is not None
        return told

    yield reconciled
    await livekit.close()


async def test_a_refused_share_says_so_once_and_why(ctx: Context, share: Share) -> None:
    """Although LiveKit does not answer: its attribute is a courtesy."""
    await communities.configure(ctx.store, "guild", {"enabled": False})
    before = refusals("community-off")
    for _ in range(2):
        told = await share()
    assert (told.state, told.why) == ("refused", "community-off")
    (event,) = await ctx.store.rows(schema.OutgoingEvent).find({}).to_list(None)
    assert (event["event"], event["data"]["why"]) == ("buffer_refused", "community-off")
    assert refusals("community-off") == before + 1


async def test_a_share_above_the_limit_is_told_how_many_it_allows(
    ctx: Context, share: Share
) -> None:
    """Also when the limit has changed since, which is no further refusal."""
    before = refusals("limit")
    for slots in (["another"], ["another", "one more"]):
        rules = {"max_concurrent": len(slots), "slots": slots}
        await communities.configure(ctx.store, "guild", rules)
        told = await share()
        assert (told.why, told.why_detail) == ("limit", str(len(slots)))
    assert refusals("limit") == before + 1


async def test_a_codec_that_egress_can_not_read_is_named_and_not_tried_for_ever(
    ctx: Context, share: Share
) -> None:
    """A later egress may read it: so it is tried, and no start a minute follows."""
    await ctx.store.rows(schema.Track).update_one({"_id": "TR"}, {"$set": {"mime": "video/AV1"}})
    failed = {"$set": {"failures": 2, "why": "egress-failed"}}
    await ctx.store.rows(schema.Buffer).update_one({}, failed)
    told = await share()
    assert (told.state, told.why) == ("waiting", "egress-failed")
    assert await ctx.store.rows(schema.EgressSession).count_documents({}) == 1
    again = {"$set": {"retry_at": NOW}}
    await ctx.store.rows(schema.Buffer).update_one({}, again)
    told = await share()
    assert (told.state, told.why, told.why_detail) == ("refused", "codec", "av1")
    assert await ctx.store.rows(schema.EgressSession).count_documents({}) == 1
