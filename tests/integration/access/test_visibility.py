"""Rights looked up in real rows: roles, presence, communities; lists agree with single shares."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from app.access import communities, visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.context import Context
from app.models import conditions
from app.models.schema import Buffer, Participant, Room

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
DURING = (NOW + timedelta(minutes=5), NOW + timedelta(minutes=6))
BOB = Caller("bob")
POLICIES = ("self", "room", "role")


async def stay(
    ctx: Context,
    identity: str,
    room_sid: str,
    joined: float | None,
    left: float | None,
    *,
    room: str | None = None,
) -> None:
    """Somebody's connection, in minutes from NOW."""

    def at(minutes: float | None) -> datetime | None:
        return None if minutes is None else NOW + timedelta(minutes=minutes)

    number = await ctx.store.rows(Participant).count_documents({})
    row = Participant.model_validate(
        {
            "sid": f"PA_{number}",
            "room_sid": room_sid,
            "room": room or room_sid.removeprefix("RM_"),
            "identity": identity,
            "joined_at": at(joined),
            "left_at": at(left),
        }
    )
    assert await ctx.store.create(row)


async def community(ctx: Context, name: str, policy: str, access: str = "open") -> None:
    await communities.configure(ctx.store, name, {"capture_policy": policy, "access": access})


async def right(ctx: Context, caller: Caller, share: Share) -> Right:
    return (await visibility.permit(ctx.store, ctx.settings, caller, share)).right


async def shared(
    ctx: Context, room_sid: str, identity: str, of: str, *, room: str | None = None
) -> None:
    """A share of a community's; its id is `{room_sid}-{identity}`."""
    buffer = Buffer(
        id=f"{room_sid}-{identity}",
        room=room or room_sid.removeprefix("RM_"),
        room_sid=room_sid,
        identity=identity,
        participant_sid="PA",
        video_sid="TR",
        community=of,
        since=NOW,
    )
    assert await ctx.store.create(buffer)


async def listed(ctx: Context, caller: Caller) -> set[str]:
    """The ids that a list shows the caller: those of the shares that they see one by one, as the
    streams do, too."""
    rows = await ctx.store.rows(Buffer).find({}).to_list(None)
    permits = await visibility.permits(
        ctx.store, ctx.settings, caller, [visibility.share_of(row) for row in rows]
    )
    scope = await visibility.scope(ctx.store, ctx.settings, caller)
    found = set(await ctx.store.rows(Buffer).distinct("_id", scope))
    followed = {row["_id"] for row in rows if conditions.matches(scope, row)}
    one_by_one = {
        row["_id"] for row, each in zip(rows, permits, strict=True) if each.right >= Right.SEE
    }
    assert found == followed == one_by_one, caller
    return found


SHARE = Share("a", "RM_a", "ann", "guests")


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([(0, 20)], [(5, 6)]),
        ([(0, None)], [(5, 6)]),
        ([(-5, 5.5)], [(5, 5.5)]),
        ([(5.9, 20)], [(5.9, 6)]),
        ([(0, 5)], []),
        ([(6, None)], []),
        ([(0, 1), (7, 8)], []),
        ([(0, 1), (5.2, 5.3)], [(5.2, 5.3)]),
        ([(5.5, None), (0, 5.2), (5.1, 5.3)], [(5, 5.3), (5.5, 6)]),
        ([(None, 5.5)], []),
        ([(None, 20)], []),
    ],
)
async def test_what_happened_during_ones_stays_in_the_room_is_open(
    ctx: Context,
    stays: list[tuple[float | None, float | None]],
    expected: list[tuple[float, float]],
) -> None:
    """Several connections add up; where the beginning is not known, nothing is believed."""
    await community(ctx, "guests", "room")
    for joined, left in stays:
        await stay(ctx, "bob", "RM_a", joined, left)
    await stay(ctx, "eve", "RM_a", 0, None)
    await stay(ctx, "bob", "RM_other", 0, None)
    permit = await visibility.permit(ctx.store, ctx.settings, BOB, SHARE)
    assert permit.right is Right.WITNESS
    assert permit.of(*DURING) == [
        (NOW + timedelta(minutes=start), NOW + timedelta(minutes=end)) for start, end in expected
    ]


async def test_who_was_never_in_the_room_has_no_right(ctx: Context) -> None:
    await community(ctx, "guests", "room")
    await stay(ctx, "bob", "RM_other", 0, None)
    assert await right(ctx, BOB, SHARE) is Right.NONE


async def test_a_role_counts_in_its_own_community_from_the_moment_it_is_given(ctx: Context) -> None:
    await community(ctx, "guests", "role", "rbac")
    await communities.set_member(ctx.store, "staff", "bob", "admin", [])
    assert await right(ctx, BOB, SHARE) is Right.NONE
    await communities.set_member(ctx.store, "guests", "bob", "moderator", [])
    assert await right(ctx, BOB, SHARE) is Right.CAPTURE
    await communities.remove_member(ctx.store, "guests", "bob")
    assert await right(ctx, BOB, SHARE) is Right.NONE


async def test_lists_hold_exactly_what_may_be_seen_one_by_one(ctx: Context) -> None:
    """For every kind of caller, over rooms of communities of every policy and access mode."""
    for policy, access in itertools.product(POLICIES, ("open", "rbac")):
        await community(ctx, f"{policy}-{access}", policy, access)
        await communities.set_member(ctx.store, f"{policy}-{access}", "mod", "moderator", [])
        await communities.set_member(ctx.store, f"{policy}-{access}", "boss", "admin", [])
        sid = f"RM_{policy}-{access}"
        await ctx.store.create(
            Room.model_validate({"sid": sid, "name": sid[3:], "community": f"{policy}-{access}"})
        )
        await stay(ctx, "bob", sid, 0, 10)
        await stay(ctx, "mod", sid, -100, -90)
        for identity in ("ann", "bob", "mod"):
            await shared(ctx, sid, identity, f"{policy}-{access}")
    # An earlier room of a name, of which the one that is live knows nothing.
    await ctx.store.create(
        Room.model_validate(dict(sid="RM_before", name="room-open", finished_at=NOW))
    )
    await stay(ctx, "bob", "RM_before", -100, -90, room="room-open")
    await shared(ctx, "RM_before", "ann", "self-open", room="room-open")
    seen_by = {}
    for caller in (
        Caller("ann"),
        BOB,
        Caller("bob", room="room-open"),
        Caller("bob", room="room-open", room_admin=True),
        Caller("eve", room="room-open", room_admin=True),
        Caller("eve", room="room-open", room_admin=True, can_subscribe=False),
        Caller("bob", can_subscribe=False),
        Caller("mod"),
        Caller("mod", room="role-rbac"),
        Caller("boss"),
        Caller("boss", room="self-rbac"),
        Caller("eve"),
        Caller("eve", instance_admin=True),
    ):
        seen_by[caller] = len(await listed(ctx, caller))
    assert list(seen_by.values()) == [7, 10, 3, 4, 3, 0, 6, 14, 3, 19, 3, 0, 19]


@pytest.mark.parametrize("of_share", POLICIES)
@pytest.mark.parametrize("of_room", POLICIES)
async def test_lists_go_by_the_community_of_the_share_whatever_that_of_its_room(
    ctx: Context, of_room: str, of_share: str
) -> None:
    """They differ where an admin has assigned the room, and where the sharer's token counts."""
    for policy in POLICIES:
        await community(ctx, policy, policy)
    await ctx.store.create(Room.model_validate(dict(sid="RM_a", name="a", community=of_room)))
    await stay(ctx, "bob", "RM_a", 0, None)
    await shared(ctx, "RM_a", "ann", of_share)
    await shared(ctx, "RM_a", "cid", "room")
    await shared(ctx, "RM_other", "ann", of_share)
    seen = {"RM_a-cid"} | ({"RM_a-ann"} if of_share == "room" else set())
    for caller in (BOB, Caller("bob", room="a")):
        assert await listed(ctx, caller) == seen
    assert await listed(ctx, Caller("bob", room="a", room_admin=True)) == {"RM_a-ann", "RM_a-cid"}


async def test_a_room_admin_acts_in_the_live_room_and_in_earlier_ones_they_were_in(
    ctx: Context,
) -> None:
    """Their token names a room, and a name may come again: rights go by its sid."""
    mod, sam = Caller("mod", room="a", room_admin=True), Caller("sam", room="a", room_admin=True)
    earlier, live = SHARE, Share("a", "RM_a2", "ann", "guests")
    await ctx.store.create(
        Room.model_validate(dict(sid="RM_a", name="a", community="guests", finished_at=NOW))
    )
    await ctx.store.create(Room.model_validate(dict(sid="RM_a2", name="a", community="guests")))
    await stay(ctx, "mod", "RM_a", -10, -9)
    for caller, share, acts in (
        (mod, live, True), (mod, earlier, True), (sam, live, True), (sam, earlier, False),
    ):  # fmt: skip
        found = await right(ctx, caller, share)
        assert found is (Right.CAPTURE if acts else Right.NONE), (caller, share)
        assert bool(await visibility.may_stop(ctx.store, caller, share)) == acts
        assert await visibility.administers(ctx.store, caller, share) == acts


async def test_which_room_is_live_is_open_until_the_end_of_the_earlier_one_is_known(
    ctx: Context,
) -> None:
    """A lost webhook makes nobody the admin of what was before: a survey finds that it is over."""
    sam = Caller("sam", room="a", room_admin=True)
    await ctx.store.create(Room.model_validate(dict(sid="RM_a", name="a")))
    assert await right(ctx, sam, SHARE) is Right.CAPTURE
    await ctx.store.create(Room.model_validate(dict(sid="RM_a2", name="a")))
    assert await right(ctx, sam, SHARE) is Right.NONE
