"""Communities on a real store: rules, members, and slots under many hands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.access import communities, community_slots
from app.context import Context
from app.models import Action, Why
from app.models.schema import Community
from tests.admitting import free


async def rules(ctx: Context) -> communities.Rules:
    return await communities.rules(ctx.store, ctx.settings, "guild")


async def test_a_community_that_nobody_configured_has_the_settings_of_the_instance(
    ctx: Context,
) -> None:
    """Rules fall back to the settings, one by one."""
    found = await rules(ctx)
    assert (found.enabled, found.max_concurrent, found.access) == (True, 5, "open")
    await communities.configure(ctx.store, "guild", {"max_concurrent": 2})
    found = await rules(ctx)
    assert (found.max_concurrent, found.retention_minutes) == (2, 12)
    await communities.configure(ctx.store, "guild", {"max_concurrent": None})
    assert (await rules(ctx)).max_concurrent == 5


async def test_the_limit_is_exact_when_fifty_shares_begin_at_once(ctx: Context) -> None:
    """Of fifty that ask at the same moment exactly five get a slot."""
    of = await rules(ctx)
    got = await asyncio.gather(
        *(community_slots.take(ctx.store, of, f"buffer-{n}", f"user-{n}") for n in range(50))
    )
    assert got.count(None) == 5
    assert set(got) == {None, Why.LIMIT}


async def test_one_user_never_has_more_slots_than_are_theirs(ctx: Context) -> None:
    """From ten devices at once two are recorded; somebody else has a slot all the same."""
    of = await rules(ctx)
    odd = "ann $.\ud83d\ude00 "
    got = await asyncio.gather(
        *(community_slots.take(ctx.store, of, f"buffer-{n}", odd) for n in range(10))
    )
    assert got.count(None) == 2
    assert set(got) == {None, Why.USER_LIMIT}
    assert await community_slots.take(ctx.store, of, "bobs", "bob") is None
    mine = [f"buffer-{n}" for n, why in enumerate(got) if why is None]
    assert await community_slots.take(ctx.store, of, mine[0], odd) is None
    for each in mine:
        assert await free(ctx.store, of, each)
    row = await ctx.store.rows(Community).find_one({"_id": "guild"})
    assert row is not None
    assert (row["slots"], row["sharers"]) == (["bobs"], {community_slots.sharer("bob"): ["bobs"]})
    await communities.configure(ctx.store, "guild", {"max_concurrent_per_user": 1})
    of = await rules(ctx)
    assert await community_slots.take(ctx.store, of, "again", odd) is None
    assert await community_slots.take(ctx.store, of, "more", odd) is Why.USER_LIMIT


async def test_the_first_shares_of_a_community_all_have_a_slot(ctx: Context) -> None:
    """Each finds no row to take one in, and one of them makes it."""
    names = [f"ann-{n}" for n in range(4)]
    for number in range(30):
        of = replace(await rules(ctx), community=f"guild-{number}", max_concurrent=len(names))
        taken = (community_slots.take(ctx.store, of, each, each) for each in names)
        assert await asyncio.gather(*taken) == [None] * len(names), number


async def test_a_slot_is_taken_once_and_freed_once(ctx: Context) -> None:
    """Taking it again keeps it; freeing it again frees nobody else's."""
    await communities.configure(ctx.store, "guild", {"max_concurrent": 1})
    of = await rules(ctx)
    assert await community_slots.take(ctx.store, of, "a", "ann") is None
    assert await community_slots.take(ctx.store, of, "a", "ann") is None
    assert await community_slots.take(ctx.store, of, "b", "bob") is Why.LIMIT
    assert await free(ctx.store, of, "a")
    assert not await free(ctx.store, of, "a")
    assert await community_slots.take(ctx.store, of, "b", "bob") is None


async def test_a_limit_of_none_lets_nobody_in(ctx: Context) -> None:
    """MAX_CONCURRENT 0 records nothing."""
    await communities.configure(ctx.store, "guild", {"max_concurrent": 0})
    assert await community_slots.take(ctx.store, await rules(ctx), "a", "ann") is Why.LIMIT


async def test_roles_and_grants_are_rows(ctx: Context) -> None:
    """Somebody may do what their row says, until it is taken away."""
    await communities.configure(ctx.store, "guild", {"access": "rbac"})
    of = await rules(ctx)
    assert await communities.actions(ctx.store, of, "bob") == frozenset()
    await communities.set_member(ctx.store, "guild", "bob", "member", [Action.CAPTURE_REPLAY])
    assert await communities.actions(ctx.store, of, "bob") == {Action.CAPTURE_REPLAY}
    await communities.set_member(ctx.store, "guild", "bob", "admin", [])
    assert Action.MANAGE_REPLAY_LIMITS in await communities.actions(ctx.store, of, "bob")
    await communities.set_member(ctx.store, "guild", "eve", "admin", [])
    for _ in range(2):
        await communities.remove_member(ctx.store, "guild", "bob")
    assert await communities.actions(ctx.store, of, "bob") == frozenset()


async def test_names_that_look_alike_are_different_members(ctx: Context) -> None:
    """A community and an identity never run into one another."""
    await communities.set_member(ctx.store, "ab", "c", "admin", [])
    assert await communities.member(ctx.store, "a", "bc") is None
