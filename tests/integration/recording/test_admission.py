"""Whether a share may be recorded: the order of the checks, and how refusals are taken back."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.access import communities, quota
from app.context import Context
from app.models import Buffer, Community
from app.recording import admission
from app.recording.reasons import Why
from app.store import Row
from tests.integration.conftest import MakeSettings

COMMUNITY = "guild"
CAUSES = (
    Why.OPTED_OUT,
    Why.ENCRYPTED,
    Why.NOT_PERMITTED,
    Why.COMMUNITY_OFF,
    Why.LIMIT,
    Why.QUOTA,
    Why.DISK,
)
"""In the order of the checks."""
HINDER_THE_BEGINNING = {Why.LIMIT, Why.QUOTA, Why.DISK}


async def add_buffer(ctx: Context, name: str, **fields: Any) -> Row:
    buffer = Buffer(
        id=name, room="room", room_sid="RM", identity=name, participant_sid="PA", video_sid="TR",
        community=COMMUNITY, since=datetime.now(UTC), **fields
    )  # fmt: skip
    assert await ctx.store.create(buffer)
    return buffer.model_dump_doc()


async def slots(ctx: Context) -> list[str]:
    row = await ctx.store.rows(Community).find_one({"_id": COMMUNITY}) or {}
    return sorted(row.get("slots", []))


async def asked(ctx: Context) -> int:
    """How many jobs wait in the queue; empties it."""
    count = int(await ctx.queue.redis.zcard("replay:queue"))
    await ctx.queue.redis.flushdb()
    return count


async def test_the_first_cause_in_the_order_of_the_checks_is_the_reason(
    ctx: Context, make_settings: MakeSettings
) -> None:
    """For every set of causes at once, of a share that begins, goes on, or rests."""
    buffer = await add_buffer(ctx, "ann")
    full = replace(ctx, settings=make_settings(free_space_min_bytes=2**62))
    for size in range(len(CAUSES) + 1):
        for causes in itertools.combinations(CAUSES, size):
            rules = {
                "access": "rbac" if Why.NOT_PERMITTED in causes else "open",
                "enabled": Why.COMMUNITY_OFF not in causes,
                "slots": ["another"] if Why.LIMIT in causes else [],
                "max_concurrent": 1,
            }
            await communities.configure(ctx.store, COMMUNITY, rules)
            await quota.set_limit(ctx.store, "ann", 0 if Why.QUOTA in causes else None)
            for running, resting in ((False, False), (True, False), (False, True)):
                found = await admission.refusal(
                    full if Why.DISK in causes else ctx,
                    buffer,
                    {"encrypted": Why.ENCRYPTED in causes},
                    {"opted_out": Why.OPTED_OUT in causes},
                    running=running,
                    resting=resting,
                )
                begins = not (running or resting)
                counting = [why for why in causes if begins or why not in HINDER_THE_BEGINNING]
                assert found == (counting[0] if counting else None), (causes, running, resting)
                held = "ann" in await slots(ctx)
                assert held == (begins and not causes)
                await admission.leave(ctx, buffer)


async def test_a_slot_that_is_held_stays_and_goes_with_a_later_refusal(ctx: Context) -> None:
    """Asked again, the share keeps its one slot; refused for another reason it gives it back."""
    await communities.configure(ctx.store, COMMUNITY, {"max_concurrent": 1})
    ann, bob = await add_buffer(ctx, "ann"), await add_buffer(ctx, "bob", why=Why.LIMIT)

    async def refusal(buffer: Row) -> Why | None:
        return await admission.refusal(
            ctx, buffer, {"encrypted": False}, None, running=False, resting=False
        )

    assert [await refusal(ann) for _ in range(3)] == [None] * 3
    assert await refusal(bob) is Why.LIMIT
    assert await slots(ctx) == ["ann"]
    await asked(ctx)
    await quota.set_limit(ctx.store, "ann", 0)
    assert await refusal(ann) is Why.QUOTA
    assert await slots(ctx) == []
    # The one that waited for the slot is looked at, and no other.
    assert await asked(ctx) == 1
    assert await refusal(bob) is None
    await admission.leave(ctx, ann)
    assert await asked(ctx) == 0


async def test_what_a_killed_process_leaves_taken_is_freed(ctx: Context) -> None:
    await add_buffer(ctx, "live")
    await add_buffer(ctx, "over", ended_at=datetime.now(UTC))
    await communities.configure(ctx.store, COMMUNITY, {"slots": ["live", "over", "unknown"]})
    await admission.free_leftovers(ctx)
    assert await slots(ctx) == ["live"]
