"""Clips of people who do not come back, and what the clips of all may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from odmantic import Model

from app.access import clips_total, quota
from app.clips import orphans
from app.condition import stored_media
from app.context import Context
from app.errors import QuotaExceeded
from app.models import Row
from app.models.schema import ClipOwner, Participant, ReplayClip, UserReplayQuota
from app.store import Store
from tests.integration.clips.test_library import shelve
from tests.integration.conftest import MakeSettings
from tests.waiting import wait_for

DAY = timedelta(days=1)
GIB = 2**30


async def shown(ctx: Context) -> set[str]:
    """The owners of clips that are shown."""
    return set(await ctx.store.rows(ReplayClip).distinct("owner", {"deleted_at": None}))


async def seen_ago(ctx: Context, identity: str, days: float) -> None:
    seen_at = datetime.now(UTC) - days * DAY
    owners = ctx.store.rows(ClipOwner)
    await owners.update_one({"_id": identity}, {"$set": {"seen_at": seen_at}}, upsert=True)


async def join(ctx: Context, identity: str, left_at: datetime | None = None) -> None:
    sid = f"PA_{identity}"
    whose: dict[str, Any] = {"room": "room", "room_sid": "RM", "identity": identity}
    await ctx.store.create(
        Participant(sid=sid, joined_at=datetime.now(UTC), left_at=left_at, **whose)
    )


@pytest.fixture
async def limited(ctx: Context, make_settings: MakeSettings) -> Context:
    return replace(ctx, settings=make_settings(orphan_clip_days=30, clips_bytes=10 * GIB))


async def an_old_clip(
    ctx: Context, number: int, owner: str, *, keep: bool = False, days: float = 90
) -> None:
    clip_id = await shelve(ctx, number, owner=owner)
    old = {"created_at": datetime.now(UTC) - days * DAY, "keep": keep}
    await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, {"$set": old})


async def test_clips_whose_owner_was_not_seen_for_long_expire_unless_they_are_kept(
    ctx: Context, limited: Context
) -> None:
    for number, owner in enumerate(("guest-1", "guest-2", "kept", "there", "ada")):
        await an_old_clip(ctx, number, owner, keep=owner == "kept")
        await seen_ago(ctx, owner, days=29 if owner == "ada" else 31)
    await an_old_clip(ctx, 9, "guest-1", days=20)  # newer than that: it is given its time
    await join(ctx, "there")
    await orphans.expire_orphans(ctx)
    assert await shown(ctx) == {"guest-1", "guest-2", "kept", "there", "ada"}, "it is off"
    await orphans.expire_orphans(limited)
    assert await shown(ctx) == {"guest-1", "kept", "there", "ada"}
    hidden = await ctx.store.rows(ReplayClip).distinct("owner", {"deleted_at": {"$ne": None}})
    assert sorted(hidden) == ["guest-1", "guest-2"]


async def test_nothing_expires_before_its_owner_was_looked_for_so_long(
    ctx: Context, limited: Context
) -> None:
    """As after the upgrade to the first release that looks."""
    await an_old_clip(ctx, 1, "ada")
    await orphans.expire_orphans(limited)
    assert await shown(ctx) == {"ada"}
    await seen_ago(ctx, "ada", days=31)
    await orphans.note_owner(ctx.store, "ada", datetime.now(UTC))  # she asked for a session
    await orphans.expire_orphans(limited)
    assert await shown(ctx) == {"ada"}


async def test_who_was_there_or_made_a_clip_since_the_last_look_was_seen(
    ctx: Context, limited: Context
) -> None:
    for number, owner in enumerate(("short", "maker", "guest-1")):
        await an_old_clip(ctx, number, owner)
        await seen_ago(ctx, owner, days=31)
    await join(ctx, "short", left_at=datetime.now(UTC) - timedelta(minutes=70))
    await join(ctx, "guest-1", left_at=datetime.now(UTC) - 3 * DAY)
    await shelve(ctx, 9, owner="maker")
    await orphans.expire_orphans(limited)
    assert await shown(ctx) == {"short", "maker"}


async def test_who_has_no_clips_any_more_is_forgotten(ctx: Context) -> None:
    await seen_ago(ctx, "guest-1", days=400)
    await orphans.note_owner(ctx.store, "nobody", datetime.now(UTC))
    await orphans.expire_orphans(ctx)
    assert await ctx.store.rows(ClipOwner).count_documents({}) == 0


async def test_guests_with_a_new_identity_each_share_what_all_may_take(limited: Context) -> None:
    ctx = limited
    for number in range(5):
        await quota.reserve(ctx.store, ctx.settings, f"guest-{number}", f"c{number}", 2 * GIB)
    with pytest.raises(QuotaExceeded, match="CLIPS_BYTES") as refused:
        await quota.reserve(ctx.store, ctx.settings, "guest-5", "c5", 1)
    assert refused.value.extra["used_bytes"] == 0, "what others take is told to nobody"
    await quota.reserve(ctx.store, ctx.settings, "guest-0", "c0", 2 * GIB)  # asked for again
    await quota.give_back(ctx.store, "guest-0", "c0")
    await quota.reserve(ctx.store, ctx.settings, "guest-5", "c5", 1)


class Counting(Store):
    """Which counts how often all rows of a kind are added up."""

    sums = 0

    async def summed(self, model: type[Model], pipeline: Sequence[Row]) -> list[Row]:
        self.sums += 1
        return await super().summed(model, pipeline)


async def test_not_each_clip_costs_the_rows_of_all_users(limited: Context) -> None:
    """The sum is kept up by what is reserved and given back here, and read again before a refusal
    that it may be too old for."""
    store, settings = Counting(limited.settings.mongo_url), limited.settings
    try:
        for number in range(20):
            await quota.reserve(store, settings, f"guest-{number}", "c", GIB // 2)
        assert store.sums < 20 // 2
        with pytest.raises(QuotaExceeded, match="CLIPS_BYTES"):
            await quota.reserve(store, settings, "guest-20", "c", 1)
        await quota.give_back(store, "guest-0", "c")
        await quota.reserve(store, settings, "guest-20", "c", GIB // 2)
        await limited.store.rows(UserReplayQuota).update_many({}, {"$set": {"held_bytes": 0}})
        await wait_for(lambda: clips_total.has_room(store, GIB, settings.clips_bytes))
    finally:
        await store.close()


async def test_admins_are_told_what_clips_take_and_how_much_of_it_is_of_people_who_went(
    ctx: Context, limited: Context
) -> None:
    for owner, size_bytes, days in (("guest-1", 3 * GIB, 40), ("ada", GIB, 1)):
        await ctx.store.create(
            UserReplayQuota(id=owner, used_bytes=size_bytes, held_bytes=size_bytes)
        )
        await seen_ago(ctx, owner, days)
    found = await stored_media.clip_bytes(ctx)
    people = "3.0 GiB are of 1 people who were not seen for 30 days"
    assert found == ("ok", f"clips take 4.0 GiB; {people}", "")
    found = await stored_media.clip_bytes(limited)
    assert found.level == "ok"
    assert found.detail.startswith("clips take 4.0 GiB of the 10.0 of CLIPS_BYTES")
    await ctx.store.create(UserReplayQuota(id="bob", held_bytes=6 * GIB))
    assert (await stored_media.clip_bytes(limited)).level == "warn"
