"""Trims of trims, and of clips whose place they took: what becomes of one becomes of its parts."""

from __future__ import annotations

from typing import Any

import pytest

from app.access import communities
from app.captures import trimming
from app.captures.trim_request import TrimRequest
from app.clips import clip_expiry, library, objections, replacing, trims
from app.context import Context
from app.errors import Conflict, NotFound
from app.models import ClipRow
from app.models.schema import Deed, ReplayClip
from tests.integration.captures.conftest import ADMIN, BOB
from tests.integration.clips.rows import add_clip, charge


async def chain(ctx: Context, *names: str, of: tuple[str, ...] = (), **given: Any) -> None:
    """Clips of root's, of bob's screen, each a trim of the one before. `of`: of the first one."""
    for name in names:
        whose = {"owner": "root", "shared_by": "bob"}
        whole = of[0] if of else None
        await add_clip(ctx, name, trimmed_from=whole, ancestors=[*of], **whose, **given)
        await charge(ctx, "root", name)
        of = (name, *of)


async def row_of(ctx: Context, clip_id: str) -> ClipRow:
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    assert row is not None
    return row


async def purge(ctx: Context, clip_id: str) -> None:
    """Has its owner's clip gone with its row."""
    await library.delete(ctx, ADMIN, clip_id, purge=True)
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).find_one({"_id": clip_id}) is None


async def are_closed(ctx: Context, *names: str) -> list[bool]:
    """Of each whether bob has closed it, though it may rest."""
    return [(await row_of(ctx, name))["closed_by"] == "bob" for name in names]


async def close(ctx: Context, clip_id: str) -> None:
    await library.change(ctx, ADMIN, clip_id, {"visibility": "room"})
    await objections.close(ctx, BOB, clip_id)


async def test_no_trim_is_written_when_what_it_is_a_part_of_goes(ctx: Context) -> None:
    """What that was a part of reaches it all the same: however many there are, none is moved."""
    await chain(ctx, "whole", "part", "part of it")
    for name in ("leaf", "other leaf"):
        await chain(ctx, name, of=("part of it", "part", "whole"))
    leaves = {"_id": {"$in": ["leaf", "other leaf"]}}
    before = await ctx.store.rows(ReplayClip).find(leaves).to_list(None)
    for name in ("part of it", "part"):
        await purge(ctx, name)
    assert await ctx.store.rows(ReplayClip).find(leaves).to_list(None) == before
    await close(ctx, "whole")
    assert await are_closed(ctx, "leaf", "other leaf") == [True, True]


@pytest.mark.parametrize("gone", [(), ("first",), ("first", "second"), ("second",)])
async def test_what_was_trimmed_from_a_clip_is_closed_with_whatever_has_its_place(
    ctx: Context, gone: tuple[str, ...]
) -> None:
    """Though one that had the place before it is gone; what that was a part of stays open."""
    await chain(ctx, "whole", "first", "second", "third")
    await chain(ctx, "beside", of=("first", "whole"))
    await chain(ctx, "beside second", of=("second", "first", "whole"))
    for old, new in (("first", "second"), ("second", "third")):
        assert await replacing.replace(ctx, "root", old, new)
    for name in gone:
        await purge(ctx, name)
    await close(ctx, "third")
    there = [name for name in ("first", "second") if name not in gone]
    assert all(await are_closed(ctx, "third", "beside", "beside second", *there))
    assert await are_closed(ctx, "whole") == [False]


@pytest.mark.parametrize("is_closed_before", [False, True])
async def test_who_closes_a_clip_sees_nothing_of_what_else_is_private(
    ctx: Context, is_closed_before: bool
) -> None:
    """Neither what it replaced, nor a trim of that, nor what that makes: all are closed."""
    await chain(ctx, "old", "new", "part")
    await chain(ctx, "other", of=("old",))
    if is_closed_before:
        await close(ctx, "new")
    assert await replacing.replace(ctx, "root", "old", "new")
    if not is_closed_before:
        await close(ctx, "new")
    names = ("new", "part", "old", "other")
    assert all(await are_closed(ctx, *names))
    with pytest.raises(NotFound):
        await library.find(ctx, BOB, "other")
    # Its owner may say so again: it is no other clip for that.
    await library.change(ctx, ADMIN, "other", {"visibility": "private"})
    await chain(ctx, "made then", of=("other", "old"))
    await trims.close(ctx, "made then", await row_of(ctx, "other"), "bob")
    seen = [(await row_of(ctx, name))["opened"] for name in (*names, "made then")]
    assert seen == [True, True, False, False, False]


async def test_a_clip_that_comes_back_closed_in_an_opened_place_is_opened_again_by_who_closed_it(
    ctx: Context,
) -> None:
    await chain(ctx, "old", "new")
    assert await replacing.replace(ctx, "root", "old", "new")
    await close(ctx, "new")
    await library.restore(ctx, ADMIN, "old", in_place_of="new")
    await objections.reopen(ctx, BOB, "old")
    await library.change(ctx, ADMIN, "old", {"visibility": "room"})


async def test_one_altered_row_keeps_no_other_trim_from_being_closed(ctx: Context) -> None:
    """Whoever goes on with the deed tries it again."""
    await chain(ctx, "whole", "part")
    await chain(ctx, "altered", of=("whole",), visibility="room", audience="RM")
    place = {"clip_id": "gone", "first": "unknown", "grant": 0, "turn": 0, "own_grant": 0}
    clips = ctx.store.rows(ReplayClip)
    await clips.update_one({"_id": "whole"}, {"$set": {"in_place_of": place}})
    lacks = {"$unset": {"visibility": "", "closed_by": ""}}
    await clips.update_one({"_id": "altered"}, lacks)
    with pytest.raises(KeyError, match="closed_by"):
        await close(ctx, "whole")
    assert await are_closed(ctx, "whole", "part") == [True, True]
    assert await ctx.store.rows(Deed).count_documents({"subject": "whole"}) == 1


async def test_what_is_purged_by_others_goes_with_what_was_trimmed_from_what_it_replaced(
    ctx: Context,
) -> None:
    await chain(ctx, "old", "new", visibility="room", audience="RM")
    await chain(ctx, "other", of=("old",))
    assert await replacing.replace(ctx, "root", "old", "new")
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    await library.delete(ctx, BOB, "new")
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).count_documents({}) == 0


async def test_a_clip_is_restored_in_the_place_of_a_trim_of_its_trim(ctx: Context) -> None:
    """Whether or not that is there: it had the place in between."""
    await chain(ctx, "first", "second", "third", visibility="room", audience="RM")
    for old, new in (("first", "second"), ("second", "third")):
        assert await replacing.replace(ctx, "root", old, new)
    back = await library.restore(ctx, ADMIN, "first", in_place_of="third")
    assert back.row["visibility"] == "room"
    await objections.close(ctx, BOB, "first")
    assert await are_closed(ctx, "second", "third") == [True, True]


async def test_a_trim_is_trimmed_no_deeper_than_so_many_times(ctx: Context) -> None:
    deep = tuple(f"clip {number}" for number in range(trims.DEEPEST))
    await chain(ctx, "deepest", of=deep)
    with pytest.raises(Conflict, match="a trim of a trim, 20 deep"):
        await trimming.accept(ctx, ADMIN, "deepest", TrimRequest())
    await chain(ctx, "one less", of=deep[1:])
    assert (await trimming.accept(ctx, ADMIN, "one less", TrimRequest()))["trim"] is not None
