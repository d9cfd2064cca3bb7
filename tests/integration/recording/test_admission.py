"""Whether a share may be recorded: the order of the checks, and how refusals are taken back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.access import communities, community_slots, quota
from app.context import Context
from app.models import Why
from app.models.schema import Buffer, Community, Participant, Track
from app.recording import admission
from tests import webhooks
from tests.admitting import admission_of, begin, leave
from tests.integration.captures.mortal import Mortal, mortal
from tests.integration.conftest import MakeSettings
from tests.integration.queued import empty_redis, queued
from tests.integration.recording.conftest import Send
from tests.rows import PartOfRow

COMMUNITY = "guild"
CAUSES = (
    Why.OPTED_OUT,
    Why.ENCRYPTED,
    Why.NOT_PERMITTED,
    Why.COMMUNITY_OFF,
    Why.CODEC,
    Why.USER_LIMIT,
    Why.LIMIT,
    Why.QUOTA,
    Why.DISK,
)
"""In the order of the checks."""
HINDER_THE_BEGINNING = {Why.CODEC, Why.USER_LIMIT, Why.LIMIT, Why.QUOTA, Why.DISK}


async def add_buffer(
    ctx: Context, name: str, *, in_community: str = COMMUNITY, **fields: Any
) -> PartOfRow:
    buffer = Buffer(
        **{"identity": name} | fields, id=name, room="room", room_sid="RM", participant_sid="PA",
        video_sid="TR", community=in_community, since=datetime.now(UTC),
    )  # fmt: skip
    assert await ctx.store.create(buffer)
    return buffer.model_dump_doc()


async def slots(ctx: Context) -> list[str]:
    row = await ctx.store.rows(Community).find_one({"_id": COMMUNITY})
    return sorted(row["slots"]) if row else []


async def asked(ctx: Context) -> int:
    """How many jobs wait in the queue; empties it."""
    count = await queued(ctx)
    await empty_redis(ctx)
    return count


@pytest.mark.parametrize(
    "sizes",
    [(0, 1, 2, len(CAUSES)), pytest.param(range(3, len(CAUSES)), marks=pytest.mark.heavy)],
)
async def test_the_first_cause_in_the_order_of_the_checks_is_the_reason(
    ctx: Context, make_settings: MakeSettings, sizes: Sequence[int]
) -> None:
    """For every set of so many causes at once, of a share that begins, goes on, or rests.

    Pairs show the whole order.
    """
    buffer = await add_buffer(ctx, "ann")
    full = replace(ctx, settings=make_settings(free_space_min_bytes=2**62))
    for size in sizes:
        for causes in itertools.combinations(CAUSES, size):
            own = Why.USER_LIMIT in causes
            rules = {
                "access": "rbac" if Why.NOT_PERMITTED in causes else "open",
                "enabled": Why.COMMUNITY_OFF not in causes,
                "slots": ["another"] if Why.LIMIT in causes else [],
                "sharers": {community_slots.sharer("ann"): ["a", "b"] if own else []},
                "max_concurrent": 1,
            }
            await communities.configure(ctx.store, COMMUNITY, rules)
            video: PartOfRow = {
                "encrypted": Why.ENCRYPTED in causes,
                "mime": "video/AV1" if Why.CODEC in causes else "video/VP8",
            }
            buffer["failures"] = admission.CODEC_TRIES
            sharer: PartOfRow = {"opted_out": Why.OPTED_OUT in causes}
            await quota.set_limit(ctx.store, "ann", 0 if Why.QUOTA in causes else None)
            for running, resting in ((False, False), (True, False), (False, True)):
                where = full if Why.DISK in causes else ctx
                begins = not (running or resting)
                if begins:
                    found = await begin(where, buffer, video, sharer)
                else:
                    found = await (await admission_of(where, buffer, video, sharer)).refusal(
                        buffer, running=running, resting=resting
                    )
                counting = [why for why in causes if begins or why not in HINDER_THE_BEGINNING]
                assert found == (counting[0] if counting else None), (causes, running, resting)
                held = "ann" in await slots(ctx)
                assert held == (begins and not causes)
                await leave(ctx, buffer)


async def test_a_slot_that_is_held_stays_and_goes_with_a_later_refusal(ctx: Context) -> None:
    """Asked again, the share keeps its one slot; refused for another reason it gives it back."""
    await communities.configure(ctx.store, COMMUNITY, {"max_concurrent": 1})
    ann, bob = await add_buffer(ctx, "ann"), await add_buffer(ctx, "bob", why=Why.LIMIT)

    assert [await begin(ctx, ann) for _ in range(3)] == [None] * 3
    assert await begin(ctx, bob) is Why.LIMIT
    assert await slots(ctx) == ["ann"]
    await asked(ctx)
    await quota.set_limit(ctx.store, "ann", 0)
    assert await begin(ctx, ann) is Why.QUOTA
    await leave(ctx, ann)
    assert await slots(ctx) == []
    # The one that waited for the slot is looked at, and no other.
    assert await asked(ctx) == 1
    assert await begin(ctx, bob) is None
    await leave(ctx, ann)
    assert await asked(ctx) == 0


async def test_a_users_next_share_waits_until_one_of_theirs_ends(ctx: Context) -> None:
    """Also where the community has slots; and it is looked at then."""
    mine = [await add_buffer(ctx, f"{n}", identity="ann") for n in range(3)]
    found = [await begin(ctx, each) for each in mine]
    assert found == [None, None, Why.USER_LIMIT]
    assert (await admission_of(ctx, mine[2])).detail(mine[2], Why.USER_LIMIT) == "2"
    assert await begin(ctx, await add_buffer(ctx, "bob")) is None
    waits = {"$set": {"why": Why.USER_LIMIT}}
    await ctx.store.rows(Buffer).update_one({"_id": mine[2]["_id"]}, waits)
    await asked(ctx)
    await leave(ctx, mine[0])
    assert await asked(ctx) == 1
    assert await begin(ctx, mine[2]) is None


async def test_what_a_killed_process_leaves_taken_is_freed(ctx: Context) -> None:
    await add_buffer(ctx, "live")
    await add_buffer(ctx, "over", ended_at=datetime.now(UTC))
    await communities.configure(ctx.store, COMMUNITY, {"slots": ["live", "over", "unknown"]})
    await admission.free_leftovers(ctx)
    assert await slots(ctx) == ["live"]


async def test_whoever_is_killed_at_any_step_a_slot_is_taken_once_and_freed_once(
    ctx: Context,
) -> None:
    """With one slot: killed while ann takes it, and while she leaves it, it is bob's next."""
    await communities.configure(ctx.store, COMMUNITY, {"max_concurrent": 1})
    buffers = ctx.store.rows(Buffer)
    steps = {"begin": 0, "leave": 0}
    async with mortal() as program:
        worker = Mortal(program, ctx.settings)
        killed = True
        while killed:
            ann = await add_buffer(ctx, f"ann {steps}")
            bob = await add_buffer(ctx, f"bob {steps}", why=Why.LIMIT)
            killed = False
            for action in steps:
                dies = await worker.act(action, ann["_id"], die_at=steps[action])
                steps[action] += dies
                killed |= dies
                if action == "begin":
                    # the reconcile that comes next asks again
                    assert await begin(ctx, ann) is None
                    assert await begin(ctx, bob) is Why.LIMIT
                    await buffers.update_one(
                        {"_id": ann["_id"]}, {"$set": {"ended_at": datetime.now(UTC)}}
                    )
            await admission.free_leftovers(ctx)
            assert await slots(ctx) == []
            assert await begin(ctx, bob) is None
            await asked(ctx)
            await leave(ctx, ann)
            assert await slots(ctx) == [bob["_id"]], "nobody frees the slot of another"
            assert await asked(ctx) == 0
            await leave(ctx, bob)
    assert steps["begin"] > 2
    assert steps["leave"] > 2


async def test_nothing_that_somebody_says_of_himself_permits_his_share(
    ctx: Context, send: Send
) -> None:
    """Metadata and attributes, which a participant may write, are no grants."""
    await communities.configure(ctx.store, communities.DEFAULT, {"access": "rbac"})
    claims = {"role": "admin", "grants": ["enable_replay_buffer"], "replay": "on", "admin": "true"}
    mallory = webhooks.participant(
        "mallory", metadata=json.dumps(claims), attributes={k: str(v) for k, v in claims.items()}
    )
    for event in (
        webhooks.event("participant_joined", room=webhooks.room(), participant=mallory),
        webhooks.event(
            "track_published", room=webhooks.room(), participant=mallory, track=webhooks.video()
        ),
    ):
        assert (await send(event)).status_code == 200
    participant = await ctx.store.rows(Participant).find_one({"identity": "mallory"})
    track = await ctx.store.rows(Track).find_one({"identity": "mallory"})
    assert participant
    assert track
    buffer = await add_buffer(ctx, "mallory", in_community=communities.DEFAULT)
    assert await begin(ctx, buffer, track, participant) is Why.NOT_PERMITTED
    await communities.set_member(ctx.store, communities.DEFAULT, "mallory", "moderator", [])
    assert await begin(ctx, buffer, track, participant) is None
