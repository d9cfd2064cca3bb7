"""app.access.quota on a real store: exact under races, once whatever is repeated."""

from __future__ import annotations

import asyncio

import pytest

from app.access import quota
from app.context import Context
from app.errors import QuotaExceeded
from app.models.schema import UserReplayQuota
from app.settings import Settings
from tests.integration.conftest import MakeSettings


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(quota_bytes=1000)


async def numbers(ctx: Context, identity: str = "ada") -> tuple[int, int, int]:
    found = await quota.read(ctx.store, ctx.settings, identity)
    return found.quota_bytes, found.used_bytes, found.reserved_bytes


async def test_a_user_without_clips_has_the_default_quota(ctx: Context) -> None:
    assert await numbers(ctx) == (1000, 0, 0)


async def test_a_clip_goes_from_reserved_to_used_to_free_and_each_step_counts_once(
    ctx: Context,
) -> None:
    for _ in range(2):
        await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 400)
    assert await numbers(ctx) == (1000, 0, 400)
    for _ in range(2):
        await quota.settle(ctx.store, "ada", "c1", 350)
    assert await numbers(ctx) == (1000, 350, 0)
    for _ in range(2):
        await quota.free(ctx.store, "ada", "c1", 1)
    assert await numbers(ctx) == (1000, 0, 0)
    for _ in range(2):
        assert await quota.charge(ctx.store, ctx.settings, "ada", "c1", 350, 2)
    assert await numbers(ctx) == (1000, 350, 0)
    for _ in range(2):
        await quota.give_back(ctx.store, "ada", "c1")
    assert await numbers(ctx) == (1000, 0, 0)


async def test_who_comes_late_with_a_change_of_a_clip_changes_nothing(ctx: Context) -> None:
    """The newest turn holds; a clip that is gone stays gone."""
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 400)
    await quota.settle(ctx.store, "ada", "c1", 400)
    await quota.free(ctx.store, "ada", "c1", 3)
    assert not await quota.charge(ctx.store, ctx.settings, "ada", "c1", 400, 2)
    assert await numbers(ctx) == (1000, 0, 0)
    assert await quota.charge(ctx.store, ctx.settings, "ada", "c1", 400, 4)
    await quota.free(ctx.store, "ada", "c1", 3)
    assert await numbers(ctx) == (1000, 400, 0)
    await quota.give_back(ctx.store, "ada", "c1")
    assert not await quota.charge(ctx.store, ctx.settings, "ada", "c1", 400, 6)
    await quota.free(ctx.store, "ada", "c1", 7)
    row = await ctx.store.rows(UserReplayQuota).find_one({"_id": "ada"})
    assert row is not None
    assert (row["turns"], row["held_bytes"]) == ({}, 0)


async def test_a_capture_that_is_over_reserves_nothing_any_more(ctx: Context) -> None:
    """Also where its acceptance was only held up; what it held is free."""
    await quota.bar(ctx.store, "ada", "c1")
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 400)
    await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 400)
    assert await numbers(ctx) == (1000, 0, 400)
    await quota.bar(ctx.store, "ada", "c2")
    await quota.settle(ctx.store, "ada", "c2", 400)
    assert await numbers(ctx) == (1000, 0, 0)


async def test_a_reservation_is_given_back_and_then_nothing_settles_it(ctx: Context) -> None:
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 400)
    await quota.give_back(ctx.store, "ada", "c1")
    await quota.settle(ctx.store, "ada", "c1", 400)
    assert await numbers(ctx) == (1000, 0, 0)


async def test_what_is_too_much_is_refused_with_the_numbers(ctx: Context) -> None:
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 600)
    with pytest.raises(QuotaExceeded, match="400 of the quota of 1000") as raised:
        await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 401)
    assert raised.value.extra == {
        "quota_bytes": 1000,
        "used_bytes": 0,
        "reserved_bytes": 600,
        "needed_bytes": 401,
    }
    assert "captures that are being made hold 600 bytes" in str(raised.value)
    assert await numbers(ctx) == (1000, 0, 600)
    await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 400)


async def test_the_real_size_may_exceed_the_quota_and_only_the_next_is_refused(
    ctx: Context,
) -> None:
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 1000)
    await quota.settle(ctx.store, "ada", "c1", 1100)
    assert await numbers(ctx) == (1000, 1100, 0)
    with pytest.raises(QuotaExceeded, match="0 of the quota") as raised:
        await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 1)
    assert "being made" not in str(raised.value)


async def test_of_many_that_fight_over_the_last_bytes_exactly_as_many_win_as_fit(
    ctx: Context,
) -> None:
    async def fight(number: int) -> bool:
        try:
            await quota.reserve(ctx.store, ctx.settings, "ada", f"c{number}", 100)
        except QuotaExceeded:
            return False
        return True

    won = await asyncio.gather(*(fight(number) for number in range(30)))
    assert won.count(True) == 10
    assert await numbers(ctx) == (1000, 0, 1000)


async def test_settling_and_giving_back_at_the_same_time_leaves_the_sums_right(
    ctx: Context,
) -> None:
    for number in range(10):
        await quota.reserve(ctx.store, ctx.settings, "ada", f"c{number}", 100)
    await asyncio.gather(
        *(quota.settle(ctx.store, "ada", f"c{number}", 90) for number in range(10)),
        *(quota.give_back(ctx.store, "ada", f"c{number}") for number in range(10)),
        *(quota.give_back(ctx.store, "ada", f"c{number}") for number in range(10)),
    )
    for number in range(10):
        await quota.give_back(ctx.store, "ada", f"c{number}")
    assert await numbers(ctx) == (1000, 0, 0)


async def test_lowering_a_limit_below_use_refuses_new_clips_and_keeps_the_old(
    ctx: Context,
) -> None:
    await quota.reserve(ctx.store, ctx.settings, "ada", "c1", 500)
    await quota.settle(ctx.store, "ada", "c1", 500)
    await quota.set_limit(ctx.store, "ada", 100)
    assert await numbers(ctx) == (100, 500, 0)
    with pytest.raises(QuotaExceeded):
        await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 1)
    await quota.set_limit(ctx.store, "ada", None)
    await quota.reserve(ctx.store, ctx.settings, "ada", "c2", 1)


async def test_quotas_of_users_with_odd_names_are_apart(ctx: Context) -> None:
    for identity in ("a.b", "a", "$set", "😀", "a" * 500):
        await quota.reserve(ctx.store, ctx.settings, identity, "c1", 700)
        assert await numbers(ctx, identity) == (1000, 0, 700)
