"""A room's metadata chooses among the communities that admins have made, and makes none."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from livekit.protocol.models import Room
from structlog.testing import capture_logs

from app import metrics
from app.access import communities
from app.context import Context
from app.models import schema
from app.recording import facts


def room(sid: str, claimed: object) -> Room:
    return Room(sid=sid, name="standup", metadata=json.dumps({"community": claimed}))


async def community_of(ctx: Context, sid: str) -> str:
    row = await ctx.store.rows(schema.Room).find_one({"_id": sid})
    assert row is not None
    return str(row["community"])


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_claim_to_a_community_that_nobody_made_counts_as_default(
    ctx: Context, is_over: bool
) -> None:
    """It evades no limit of `default`, leaves no row behind, and is told and counted once."""
    unknown = metrics.ERRORS.labels("community_unknown")._value
    before = unknown.get()
    with capture_logs() as logs:
        for _ in range(3):
            if is_over:
                await facts.room_finished(ctx.store, room("RM_1", "evil"), datetime.now(UTC))
            else:
                await facts.room_started(ctx.store, room("RM_1", "evil"))
    assert await community_of(ctx, "RM_1") == "default"
    assert [(each["event"], each["community"]) for each in logs] == [("community_unknown", "evil")]
    assert unknown.get() == before + 1
    assert await ctx.store.rows(schema.Community).find_one({"_id": "evil"}) is None


async def test_a_community_that_has_rules_or_members_is_there(ctx: Context) -> None:
    """Also one of before: whatever an admin did makes it."""
    await communities.configure(ctx.store, "ruled", {"max_concurrent": 1})
    await communities.set_member(ctx.store, "peopled", "ann", "moderator", [])
    for number, name in enumerate(("ruled", "peopled", "default")):
        await facts.room_started(ctx.store, room(f"RM_{number}", name))
        assert await community_of(ctx, f"RM_{number}") == name


async def test_a_community_that_is_made_later_is_that_of_rooms_that_start_then(
    ctx: Context,
) -> None:
    """What a room belongs to holds for its life."""
    await facts.room_started(ctx.store, room("RM_1", "guests"))
    await communities.configure(ctx.store, "guests", {"enabled": True})
    for sid in ("RM_1", "RM_2"):
        await facts.room_started(ctx.store, room(sid, "guests"))
    assert [await community_of(ctx, sid) for sid in ("RM_1", "RM_2")] == ["default", "guests"]


async def test_a_slot_makes_a_whole_row(ctx: Context) -> None:
    """As the model would: what is read of it later is there."""
    of = await communities.rules(ctx.store, ctx.settings, "default")
    assert await communities.take_slot(ctx.store, of, "b1", "ann") is None
    row = await ctx.store.rows(schema.Community).find_one({"_id": "default"})
    sharers = {communities.sharer("ann"): ["b1"]}
    assert row == schema.Community(id="default", slots=["b1"], sharers=sharers).model_dump_doc()
