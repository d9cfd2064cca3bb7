"""What the survey and the schedule do when others are away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.context import Context
from app.errors import Unavailable
from app.models import EgressStatus, schema
from app.recording import reaper, survey
from app.recording.livekit import LiveKit
from app.work import errands
from app.work.jobs import minutes
from tests.integration.queued import queued

LONG_AGO = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


@pytest.mark.edge("a long share is no orphan; nothing is killed on silence")
async def test_nothing_is_concluded_when_livekit_does_not_answer(ctx: Context) -> None:
    """A share of five hours is left alone as long as LiveKit says nothing about it."""
    session = schema.EgressSession(
        id=f"{ctx.instance}-{'0' * 24}", buffer_id="b", room="studio", room_sid="RM_1",
        identity="alice", video_sid="TR_V", folder="replay-buffer/x/y/z", created_at=LONG_AGO,
        segment_seconds=2, egress_id="EG_1", status=EgressStatus.ACTIVE,
        active_at=LONG_AGO + timedelta(seconds=2),
    )  # fmt: skip
    track = schema.Track.model_validate(dict(
        sid="TR_V", room_sid="RM_1", room="studio", participant_sid="PA_1", identity="alice",
        video=True, published_at=LONG_AGO,
    ))  # fmt: skip
    await ctx.store.create(session)
    await ctx.store.create(track)
    before = await ctx.store.rows(schema.EgressSession).find_one()
    livekit = LiveKit(ctx.settings)
    try:
        for action in (survey.survey, reaper.reap):
            with pytest.raises(Unavailable):
                await action(ctx, livekit)
    finally:
        await livekit.close()
    assert await ctx.store.rows(schema.EgressSession).find_one() == before
    found = await ctx.store.rows(schema.Track).find_one()
    assert found is not None
    assert (found["live"], found["missing"]) == (True, 0)


@pytest.mark.edge("two replicas of everything")
async def test_what_recurs_is_asked_for_once_per_period(ctx: Context) -> None:
    """However many workers ask, a period has one job."""
    await asyncio.gather(*(ctx.queue.once_per(minutes(1), survey.survey.errand) for _ in range(20)))
    assert await queued(ctx) == 1


async def test_a_reconcile_asked_for_before_it_begins_runs_once(ctx: Context) -> None:
    """Triggers that come together are one job; one that comes after the begin is another."""
    await asyncio.gather(*(ctx.queue.ask(errands.RECONCILE, "RM_1", "alice") for _ in range(10)))
    assert await queued(ctx) == 1
    await ctx.queue.begin(errands.RECONCILE, "RM_1", "alice")
    await ctx.queue.ask(errands.RECONCILE, "RM_1", "alice")
    assert await queued(ctx) == 2
