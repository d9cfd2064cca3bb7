"""Moments: one window of all shares of a room, each share by its own right, all or what can be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import communities, quota
from app.access.tokens import Caller
from app.captures import execution, moments
from app.captures.moment_request import MomentRequest
from app.captures.moments import AcceptedMoment
from app.clips import clip_pages
from app.clips.clip_pages import Wanted
from app.context import Context
from app.errors import (
    BufferEmpty,
    Conflict,
    Invalid,
    NotFound,
    QuotaExceeded,
    ReplayError,
    TooManyCaptures,
    TooManyRequests,
    WindowTooLong,
)
from app.models import Why, instants
from app.models.schema import Buffer, Capture, OutgoingEvent
from app.viewing import room_shares
from tests.integration.captures.checking import done, leases_end, nothing_is_left, work_on
from tests.integration.captures.conftest import ADA, ADMIN, BOB, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.conftest import MakeSettings

MOST_STEPS = 200
LAST = 300
"""Seconds that hold all that is there, however slow the machine is."""


def nothing() -> None:
    """Counts nothing."""


async def moment(
    ctx: Context, caller: Caller = ADMIN, key: str | None = None, room: str = "room", **asked: Any
) -> AcceptedMoment:
    given = {} if "start" in asked else {"last": LAST}
    request = MomentRequest.model_validate(given | asked)
    return await moments.accept(ctx, caller, room, request, key, count=nothing)


def sharers(found: AcceptedMoment) -> list[str]:
    return sorted(row["identity"] for row in found.captures)


def refusals(found: AcceptedMoment) -> list[tuple[str, str]]:
    return [(each.sharer, each.error.slug) for each in found.refused]


async def add_share(ctx: Context, name: str, **given: Any) -> None:
    """A share of which there is nothing but its row."""
    fields: dict[str, Any] = {"room": "room", "room_sid": "RM", "participant_sid": "PA"}
    fields |= {"identity": name, "video_sid": f"TR_{name}", "since": datetime.now(UTC)}
    await ctx.store.create(Buffer(id=f"buffer-{name}", **(fields | given)))


async def test_a_moment_is_a_capture_of_each_share_of_the_same_window_under_one_id(
    ctx: Context, ended_share: MakeShare
) -> None:
    for name in ("ada", "bob"):
        await ended_share(name)
    found = await moment(ctx, title="That goal")
    assert (sharers(found), found.refused) == (["ada", "bob"], ())
    assert {row["moment_id"] for row in found.captures} == {found.moment.id}
    assert found.moment.end - found.moment.start == timedelta(seconds=LAST)
    for row in found.captures:
        window = (row["requested_start"], row["requested_end"])
        assert window == (found.moment.start, found.moment.end)
        await work_on(ctx, row["_id"])
        made = await done(ctx, row["_id"])
        assert made.clip is not None, made.capture["detail"]
        assert (made.clip["moment_id"], made.clip["title"]) == (found.moment.id, "That goal")
    told = await ctx.store.rows(OutgoingEvent).find({"event": "capture_ready"}).to_list()
    assert [row["data"]["moment_id"] for row in told] == [found.moment.id] * 2
    page = await clip_pages.page(ctx, ADMIN, Wanted(moment_id=found.moment.id))
    assert sorted(clip.row["shared_by"] for clip in page.items) == ["ada", "bob"]
    assert (await clip_pages.page(ctx, ADMIN, Wanted(moment_id="other"))).items == []
    assert (await clip_pages.page(ctx, BOB, Wanted(moment_id=found.moment.id))).items == []


async def test_of_a_moment_one_gets_what_one_may_have_alone_and_hears_of_the_rest(
    ctx: Context, ended_share: MakeShare
) -> None:
    """What one may not even see is not told of."""
    await communities.configure(ctx.store, "closed", {"access": "rbac"})
    await ended_share("ada")
    await ended_share("bob")
    [mine] = await ended_share("ada")
    of_closed = {"$set": {"community": "closed"}}
    await ctx.store.rows(Buffer).update_one({"_id": mine.buffer_id}, of_closed)
    found = await moment(ctx, ADA)
    assert (sharers(found), refusals(found)) == (["ada"], [("ada", "not-permitted")])
    for caller, room in ((BOB, "nowhere"), (Caller("carl"), "room"), (Caller("ada", "x"), "room")):
        with pytest.raises(NotFound):
            await moment(ctx, caller, room=room)


async def test_what_was_not_there_in_the_window_is_no_part_of_the_moment(
    ctx: Context, ended_share: MakeShare
) -> None:
    """What was there, and is not recorded, is told of; a room of before is another room."""
    await ended_share("ada", age=100)
    [bob] = await ended_share("bob")
    begin, long_ago = bob.start, bob.start - timedelta(hours=1)
    await add_share(ctx, "before", since=long_ago, ended_at=long_ago)
    await add_share(ctx, "refused", since=begin, why=Why.LIMIT)
    await add_share(ctx, "elsewhere", since=long_ago, room_sid="RM_before")
    start, end = (instants.written(begin + timedelta(seconds=after)) for after in (5, 15))
    found = await moment(ctx, start=start, end=end)
    assert sharers(found) == ["bob"]
    # ada's row says that her share went on until its media was read
    assert refusals(found) == [("ada", "invalid"), ("refused", "buffer-empty")]
    with pytest.raises(BufferEmpty):
        await moment(ctx, room_sid="RM_before")


async def test_of_very_many_shares_the_answer_says_that_not_all_were_tried(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share("ada")
    begin = datetime.now(UTC) - timedelta(seconds=10)
    for number in range(room_shares.AT_MOST - 1):
        await add_share(ctx, f"waiting-{number}", since=begin)
    found = await moment(ctx)
    assert (sharers(found), len(found.refused), found.complete) == (["ada"], 49, True)
    long_ago = begin - timedelta(days=1)
    await add_share(ctx, "one-more", since=long_ago, ended_at=begin)
    found = await moment(ctx)
    assert (sharers(found), len(found.refused), found.complete) == (["ada"], 49, False)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"last": 601}, WindowTooLong),
        ({"last": 1e300}, WindowTooLong),
        ({"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T00:00:10Z"}, BufferEmpty),
        ({"start": "2120-01-01T00:00:00Z", "end": "2120-01-01T00:00:10Z"}, Invalid),
    ],
)
async def test_a_moment_that_no_share_has_is_refused_and_leaves_nothing(
    ctx: Context, ended_share: MakeShare, asked: dict[str, Any], error: type[ReplayError]
) -> None:
    await ended_share()
    await ctx.store.rows(Buffer).update_many({}, {"$set": {"ended_at": None}})
    with pytest.raises(error):
        await moment(ctx, **asked)
    assert await ctx.store.rows(Capture).count_documents({}) == 0
    await nothing_is_left(ctx)


async def test_each_capture_of_a_moment_counts_and_those_that_are_too_many_are_told(
    ctx: Context, ended_share: MakeShare
) -> None:
    for name in ("ada", "bob", "carl"):
        await ended_share(name)
    alone = await moment(ctx, Caller("bob"))
    one = alone.captures[0]["reserved_bytes"]
    await quota.set_limit(ctx.store, "root", int(1.5 * one))
    found = await moment(ctx)
    assert (sharers(found), [why for _, why in refusals(found)]) == (
        ["ada"],
        ["quota-exceeded"] * 2,
    )
    assert (await quota.read(ctx.store, ctx.settings, "root")).reserved_bytes <= 1.5 * one
    with pytest.raises(QuotaExceeded):
        await moment(ctx)
    await quota.set_limit(ctx.store, "root", None)
    counted: list[str] = []

    def count() -> None:
        counted.append("one")
        if len(counted) == 2:
            raise TooManyRequests("too many")

    request = MomentRequest.model_validate({"last": LAST})
    limited = await moments.accept(ctx, ADMIN, "room", request, count=count)
    assert (len(limited.captures), refusals(limited)) == (2, [("carl", "too-many-requests")])


async def test_shares_of_which_nothing_is_recorded_take_no_place_of_those_that_are(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share("ada")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for number in range(3):
        await add_share(ctx, f"waiting-{number}", since=long_ago)

    def count() -> None:
        raise TooManyRequests("too many")

    request = MomentRequest.model_validate({"last": LAST})
    found = await moments.accept(ctx, ADMIN, "room", request, count=count)
    assert (sharers(found), {why for _, why in refusals(found)}) == (["ada"], {"buffer-empty"})


async def test_a_moment_passes_no_limit_of_captures(
    make_settings: MakeSettings, ctx: Context, ended_share: MakeShare
) -> None:
    for name in ("ada", "bob", "carl"):
        await ended_share(name)
    few = replace(ctx, settings=make_settings(captures_pending_per_user=2))
    found = await moment(few)
    assert (sharers(found), refusals(found)) == (["ada", "bob"], [("carl", "too-many-captures")])
    with pytest.raises(TooManyCaptures):
        await moment(few)
    assert await ctx.store.rows(Capture).count_documents({}) == 2


async def test_the_same_key_gives_the_same_captures_and_tries_the_others_again(
    ctx: Context, ended_share: MakeShare
) -> None:
    for name in ("ada", "bob"):
        await ended_share(name)
    one = (await moment(ctx, Caller("bob"))).captures[0]["reserved_bytes"]
    await quota.set_limit(ctx.store, "root", int(1.5 * one))
    first = await moment(ctx, key="k")
    assert refusals(first) == [("bob", "quota-exceeded")]
    await quota.set_limit(ctx.store, "root", None)
    again = await moment(ctx, key="k")
    assert (sharers(again), again.refused, again.moment) == (["ada", "bob"], (), first.moment)
    assert again.captures[0]["_id"] == first.captures[0]["_id"]
    # what was accepted stays, whatever becomes of the buffers
    await ctx.store.rows(Buffer).delete_many({})
    assert sharers(await moment(ctx, key="k")) == ["ada", "bob"]
    for caller, last, room in (
        (ADMIN, LAST + 1, "room"),
        (ADMIN, LAST, "other"),
        (Caller("root", room="elsewhere"), LAST, "room"),
    ):
        with pytest.raises(Conflict, match="used for another request"):
            await moment(ctx, caller, "k", room, last=last)
    assert await ctx.store.rows(Capture).count_documents({"caller": "root"}) == 2


async def test_ten_requests_with_one_key_at_once_are_one_moment(
    ctx: Context, ended_share: MakeShare
) -> None:
    for name in ("ada", "bob"):
        await ended_share(name)
    found = await asyncio.gather(*(moment(ctx, key="k") for _ in range(10)))
    assert {each.moment.id for each in found} == {found[0].moment.id}
    assert {(each.moment.start, each.moment.end) for each in found} == {
        (found[0].moment.start, found[0].moment.end)
    }
    rows = await ctx.store.rows(Capture).find({}).to_list()
    assert sorted(row["identity"] for row in rows) == ["ada", "bob"]
    assert {row["moment_id"] for row in rows} == {found[0].moment.id}


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.heavy)])
async def test_a_moment_killed_at_any_step_is_made_whole_by_the_same_key(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    """What was accepted before is promised, and none is there twice."""
    for name in ("ada", "bob"):
        await ended_share(name)
    asked: dict[str, Any] = {"last": LAST}
    for step in range(0, MOST_STEPS, every):
        killed = await worker.act("moment", "root", asked, f"key-{step}", die_at=step)
        await leases_end(ctx)
        await execution.requeue_expired(ctx)
        async for row in ctx.store.rows(Capture).find({"status": "accepting"}):
            await work_on(ctx, row["_id"])  # takes it back
        before = await ctx.store.rows(Capture).find({}).to_list()
        assert all(row["status"] == "queued" for row in before), step
        found = await moment(ctx, key=f"key-{step}", **asked)
        rows = await ctx.store.rows(Capture).find({}).to_list()
        assert sorted(row["identity"] for row in rows) == ["ada", "bob"], step
        assert {row["moment_id"] for row in rows} == {found.moment.id}, step
        assert len({(row["requested_start"], row["requested_end"]) for row in rows}) == 1, step
        assert {row["_id"] for row in before} <= {row["_id"] for row in rows}, step
        if not killed:
            break
        await ctx.store.rows(Capture).delete_many({})
    assert not killed
