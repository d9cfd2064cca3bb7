"""Which community a share belongs to: who may say so, and among which."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.protobuf.json_format import ParseDict
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo
from structlog.testing import capture_logs

from app import metrics
from app.access import assigned_rooms, communities, community_slots
from app.context import Context
from app.models import schema
from app.recording import belonging, facts, known
from tests.integration.clips.clients import beside
from tests.integration.conftest import MakeSettings
from tests.webhooks import participant, video


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


async def community_of_share(ctx: Context, *, may_update: bool, named: str | None) -> str:
    """That of a share of ann's in a room that claims to be of `ruled`; her attribute names one."""
    now = datetime.now(UTC)
    ann = ParseDict(
        participant(
            "ann",
            attributes={} if named is None else {"replay.community": named},
            permission={"canUpdateMetadata": may_update},
        ),
        ParticipantInfo(),
    )
    await communities.configure(ctx.store, "ruled", {"enabled": True})
    await communities.configure(ctx.store, "guests", {"enabled": True})
    where = room("RM_1", "ruled")
    await facts.room_started(ctx.store, where)
    await facts.participant_joined(ctx.store, where, ann, now)
    await facts.track_published(ctx.store, where, ann, ParseDict(video(), TrackInfo()), now)
    track = await ctx.store.rows(schema.Track).find_one({"_id": "TR_V"})
    assert track is not None
    found = await known.read(ctx.store, "RM_1", "ann")
    person = found.people[track["participant_sid"]]
    return await belonging.community_of(ctx, found, track, found.room, person)


@pytest.mark.parametrize(
    ("claims", "may_update", "named", "belongs"),
    [
        ("room", False, "guests", "ruled"),
        ("token", False, None, "default"),
        ("token", False, "guests", "guests"),
        ("token", True, "guests", "default"),
        ("token", False, "nobodys", "default"),
        ("token", False, "\x00", "default"),
    ],
)
async def test_where_the_token_counts_neither_the_room_nor_its_people_name_a_community(
    ctx: Context,
    make_settings: MakeSettings,
    claims: str,
    may_update: bool,
    named: str | None,
    belongs: str,
) -> None:
    """An attribute that its participant may change is theirs, not the token's."""
    by = replace(ctx, settings=make_settings(community_claims=claims))
    assert await community_of_share(by, may_update=may_update, named=named) == belongs


@pytest.mark.parametrize("claims", ["room", "token"])
async def test_an_admins_word_goes_before_what_is_claimed(
    ctx: Context, make_settings: MakeSettings, claims: str
) -> None:
    by = replace(ctx, settings=make_settings(community_claims=claims))
    for community in ("first", "last"):
        await assigned_rooms.assign(ctx.store, "standup", community)
    assert await community_of_share(by, may_update=False, named="guests") == "last"
    assert not await assigned_rooms.release(ctx.store, "standup", "first")
    assert await assigned_rooms.release(ctx.store, "standup", "last")
    assert await community_of_share(by, may_update=False, named="guests") != "last"


async def test_a_slot_makes_a_whole_row(ctx: Context) -> None:
    """As the model would: what is read of it later is there."""
    of = await communities.rules(ctx.store, ctx.settings, "default")
    assert await community_slots.take(ctx.store, of, "b1", "ann") is None
    row = await ctx.store.rows(schema.Community).find_one({"_id": "default"})
    sharers = {community_slots.sharer("ann"): ["b1"]}
    assert row == schema.Community(id="default", slots=["b1"], sharers=sharers).model_dump_doc()


async def test_a_room_that_is_assigned_while_it_is_released_is_assigned(ctx: Context) -> None:
    """From one community to another, by two admins at once: whoever assigns is not told so idly."""

    async def assign(its: Context) -> None:
        await assigned_rooms.assign(its.store, "standup", "new")

    async def release(its: Context) -> None:
        await assigned_rooms.release(its.store, "standup", "old")

    await assigned_rooms.assign(ctx.store, "standup", "old")
    async for _ in beside(ctx, assign, release):
        assert await assigned_rooms.community_of(ctx.store, "standup") == "new"
        await assigned_rooms.assign(ctx.store, "standup", "old")
