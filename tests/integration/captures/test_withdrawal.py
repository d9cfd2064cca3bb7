"""A capture that waits holds nothing of what its caller was permitted no longer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import communities
from app.access.tokens import Caller
from app.captures import preview, withdrawal
from app.context import Context
from app.models.schema import Capture, Participant
from app.store import Store
from tests.integration.captures.checking import accepted, done, live_share, waiting
from tests.integration.captures.conftest import ADA, ADMIN, BOB
from tests.media_factory import Recording
from tests.waiting import wait_for

DEFAULT = communities.DEFAULT


async def is_there(ctx: Context) -> None:
    """Bob has been in the room all the time."""
    joined_at = datetime.now(UTC) - timedelta(minutes=1)
    row = {"sid": "PA_bob", "room_sid": "RM", "room": "room", "identity": "bob"}
    there = Participant.model_validate(row | {"joined_at": joined_at, "left_at": None})
    assert await ctx.store.create(there)


async def close_the_policy(ctx: Context) -> None:
    await communities.configure(ctx.store, DEFAULT, {"capture_policy": "self"})
    await withdrawal.of_rules(ctx, {"community": DEFAULT})


async def take_the_role(ctx: Context) -> None:
    await communities.remove_member(ctx.store, DEFAULT, "bob")
    await withdrawal.of_captures(ctx, {"community": DEFAULT, "caller": "bob"})


@pytest.mark.parametrize(
    ("policy", "change", "cut"),
    [
        ("room", close_the_policy, "precise"),
        ("role", close_the_policy, "segment"),
        ("role", take_the_role, "exact"),
    ],
)
async def test_what_comes_after_a_right_was_taken_is_not_in_the_clip(
    ctx: Context,
    recording: Recording,
    policy: str,
    change: Callable[[Context], Awaitable[None]],
    cut: str,
) -> None:
    """However it is cut. Nor is it shown before the clip is made; both say so."""
    await communities.configure(ctx.store, DEFAULT, {"capture_policy": policy})
    await communities.set_member(ctx.store, DEFAULT, "bob", "moderator", [])
    await is_there(ctx)
    async with live_share(ctx, recording, age=10, segments=5) as share:
        row, job = await waiting(ctx, BOB, identity="ada", last=6, post_roll=6, cut=cut)
        await wait_for(lambda: datetime.now(UTC) > row["accepted_at"] + timedelta(seconds=1))
        await change(ctx)
        closed_at = datetime.now(UTC)
        await wait_for(lambda: datetime.now(UTC) > row["window_end"])
        share.commit(5)
        await share.indexed(10)
        found = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
        assert found is not None
        shown = await preview.watchable(ctx, found, datetime.now(UTC))
        assert shown.items[-1].start < closed_at
        await job
    made = await done(ctx, row["_id"])
    assert made.clip is not None, made.capture
    assert made.clip["delivered_end"] is not None
    lacks = (closed_at - made.clip["delivered_end"]).total_seconds()
    assert -0.001 <= lacks < 0.5
    assert "permission-ended" in made.clip["notes"]
    assert made.clip["cut"] == ("precise" if cut == "segment" else cut)


class Meddled:
    """A store beside which something else is done, just before the row of a capture is made."""

    def __init__(self, store: Store, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._store, self._meanwhile = store, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def create(self, made: Any) -> bool:
        if isinstance(made, Capture):
            await self._meanwhile()
        return await self._store.create(made)


async def test_a_right_that_is_taken_during_the_acceptance_is_taken(
    ctx: Context, recording: Recording
) -> None:
    await communities.configure(ctx.store, DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, DEFAULT, "bob", "moderator", [])
    meddled: Any = Meddled(ctx.store, lambda: close_the_policy(ctx))
    async with live_share(ctx, recording, age=10, segments=5):
        row = await accepted(replace(ctx, store=meddled), BOB, identity="ada", last=6, post_roll=9)
    found = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
    assert found is not None
    assert found["permitted_until"] == row["accepted_at"]


@pytest.mark.parametrize("caller", [ADMIN, ADA, Caller("mod", room="room", room_admin=True)])
async def test_what_no_rules_permitted_goes_on(
    ctx: Context, recording: Recording, caller: Caller
) -> None:
    """An admin's token, or that it is one's own share."""
    await communities.configure(ctx.store, DEFAULT, {"capture_policy": "room"})
    async with live_share(ctx, recording, age=10, segments=5):
        row = await accepted(ctx, caller, identity="ada", last=6, post_roll=10)
        await close_the_policy(ctx)
    found = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
    assert found is not None
    assert found["permitted_until"] is None


async def test_rules_that_still_permit_it_change_nothing(
    ctx: Context, recording: Recording
) -> None:
    await communities.configure(ctx.store, DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, DEFAULT, "bob", "moderator", [])
    async with live_share(ctx, recording, age=10, segments=5):
        row = await accepted(ctx, BOB, identity="ada", last=6, post_roll=10)
        await communities.configure(ctx.store, DEFAULT, {"access": "rbac"})
        await withdrawal.of_rules(ctx, {"community": DEFAULT})
    found = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
    assert found is not None
    assert found["permitted_until"] is None
