"""Somebody's screen is one share over all of its tracks, in whatever order these are told of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.context import Context
from app.models import AuditAction, Stopper, Why
from app.models.schema import (
    AuditEntry,
    Buffer,
    Community,
    OutgoingEvent,
    Participant,
    Rights,
    Track,
)
from app.recording import continuation, known
from app.recording.succession import MISSED_AFTER
from app.work.share_rates import ShareRates
from tests.integration.recording.conftest import Send
from tests.integration.recording.sharing import ROOM_SID, Sharer


async def test_a_share_that_is_stopped_and_begun_again_goes_on_in_its_buffer(alice: Sharer) -> None:
    """Its row begins where it began; events tell of its end, and that it began again."""
    await alice.publish("first")
    (before,) = await alice.buffers()
    await alice.unpublish("first")
    (ended,) = await alice.buffers()
    assert ended["ended_at"] is not None
    await alice.publish("second")
    row = await alice.check_one("first", "second")
    assert row["since"] == before["since"]
    events = await alice.ctx.store.rows(OutgoingEvent).find({}).sort("number", 1).to_list(None)
    assert [each["event"] for each in events] == [
        "buffer_started",
        "buffer_ended",
        "buffer_started",
    ]
    assert {each["data"]["buffer_id"] for each in events} == {row["_id"]}


REJOIN = (
    ("track_unpublished", "1", "first"),
    ("participant_left", "1", None),
    ("participant_joined", "2", None),
    ("track_published", "2", "second"),
)


@pytest.mark.edge("left of an old connection after a re-join")
async def test_a_rejoin_is_one_share_in_whatever_order_and_how_often_it_is_told(
    quick: Context, send: Send
) -> None:
    """A worker looks after each webhook: what it has seen by then is what decides."""
    for number, order in enumerate(itertools.permutations(REJOIN)):
        sharer = Sharer(quick, send, f"sharer-{number}")
        await sharer.tell("participant_joined", "1")
        await sharer.publish("first")
        for event in order:
            await sharer.tell(*event)
            await sharer.reconciled()
        for event in order[::-1]:
            await sharer.tell(*event)
        await sharer.reconciled()
        await sharer.check_one("first", "second")


@pytest.mark.parametrize(
    "told", [REJOIN[3:], REJOIN[2:], REJOIN[1:], (REJOIN[0], REJOIN[3]), (REJOIN[3], REJOIN[0])]
)
async def test_a_rejoin_is_one_share_though_webhooks_of_it_are_lost(
    alice: Sharer, told: Sequence[tuple[str, str, str | None]]
) -> None:
    await alice.publish("first")
    for event in told:
        await alice.tell(*event)
    await alice.reconciled()
    await alice.check_one("first", "second")


async def test_a_track_that_is_told_of_after_the_one_that_followed_it_ends_nothing(
    alice: Sharer,
) -> None:
    """Its webhook was repeated. LiveKit's word says which connection came later."""
    await alice.tell("participant_joined", "1")
    await alice.tell("participant_joined", "2")
    await alice.publish("second", "2")
    await alice.publish("first", "1")
    await alice.check_one("second")


@pytest.mark.parametrize("knows", [True, False])
async def test_a_rejoin_is_one_share_though_our_clock_was_set_back_meanwhile(
    alice: Sharer, knows: bool
) -> None:
    """`knows`: LiveKit's word on both connections was heard. Else it helps that one has left."""
    if knows:
        await alice.tell("participant_joined", "1")
    await alice.publish("first")
    ahead = datetime.now(UTC) + timedelta(seconds=20)
    await alice.ctx.store.rows(Track).update_one({}, {"$set": {"published_at": ahead}})
    await alice.ctx.store.rows(Buffer).update_one({}, {"$set": {"since": ahead}})
    if knows:
        await alice.tell("participant_joined", "2")
    await alice.publish("second", "2")
    if not knows:
        await alice.tell("participant_left", "1")
        await alice.reconciled()
    await alice.check_one("first", "second")


async def test_a_lost_unpublish_is_seen_when_the_next_track_comes(alice: Sharer) -> None:
    """LiveKit lists what the connection publishes: what it does not list is no screen beside it."""
    await alice.publish("first")
    track = TrackInfo(sid=alice.sid("second"), source=TrackSource.SCREEN_SHARE)
    person = ParticipantInfo(sid="PA_alice_1", identity="alice", tracks=[track])
    alice.livekit.listed = [(Room(sid=ROOM_SID, name="studio"), [person])]
    await alice.publish("second")
    await alice.check_one("first", "second")


async def test_a_track_that_was_only_missed_for_a_while_takes_nothing_from_what_came_meanwhile(
    alice: Sharer,
) -> None:
    """Listed again, it is a screen at the same time; when the other one ends, the share is its."""
    first, tracks = {"_id": alice.sid("first")}, alice.ctx.store.rows(Track)
    await alice.publish("first")
    await tracks.update_one(first, {"$set": {"missing": MISSED_AFTER}})
    await alice.reconciled()
    await alice.publish("second")
    await tracks.update_one(first, {"$set": {"missing": 0}})
    await alice.reconciled()
    await alice.check_one("first", "second")
    await alice.unpublish("second")
    await alice.reconciled()
    await alice.check_one("first", "second", "first")


@pytest.mark.edge("only screen shares; several of one user")
async def test_two_screens_at_once_are_two_shares_and_a_rejoin_goes_on_with_both(
    alice: Sharer,
) -> None:
    await alice.publish("first")
    await alice.publish("other")
    two = {alice.own_id("first"), alice.own_id("other")}
    assert {row["_id"] for row in await alice.buffers()} == two
    await alice.tell("participant_left", "1")
    await alice.publish("first again", "2")
    await alice.publish("other again", "2")
    found = {row["_id"]: row for row in await alice.buffers()}
    assert {key: row["video_sid"] for key, row in found.items()} == {
        alice.own_id("first"): alice.sid("first again"),
        alice.own_id("other"): alice.sid("other again"),
    }
    assert len(await alice.sessions(role="current")) == 2
    await alice.publish("third", "2")
    assert len(await alice.buffers()) == 3


async def test_a_share_begins_anew_where_nothing_of_the_one_before_can_be_left(
    alice: Sharer,
) -> None:
    await alice.publish("first")
    await alice.unpublish("first")
    long_ago = datetime.now(UTC) - alice.ctx.settings.retention - timedelta(seconds=1)
    await alice.ctx.store.rows(Buffer).update_one({}, {"$set": {"ended_at": long_ago}})
    await alice.publish("second")
    ids = {row["_id"] for row in await alice.buffers()}
    assert ids == {alice.own_id("first"), alice.own_id("second")}


async def test_a_share_of_another_community_is_another_share(alice: Sharer) -> None:
    """Its rules may show it to others, and keep it for longer."""
    await alice.publish("first")
    await alice.unpublish("first")
    await alice.ctx.store.rows(Buffer).update_one({}, {"$set": {"community": "guild"}})
    await alice.ctx.store.create(Community(id="guild"))
    await alice.publish("second")
    assert [row["community"] for row in await alice.buffers()] == ["guild", "default"]


@pytest.mark.parametrize("who", Stopper)
async def test_what_was_stopped_stays_stopped_when_its_sharer_comes_again(
    alice: Sharer, who: Stopper
) -> None:
    """Nothing is recorded of the new track until whoever stopped it takes that back."""
    await alice.publish("first")
    rows = alice.ctx.store.rows(Buffer)
    await rows.update_one({}, {"$set": {f"stops.{who}": "private figures"}})
    await alice.reconciled()
    await alice.tell("participant_left", "1")
    await alice.publish("second", "2")
    (only,) = await alice.buffers()
    expected = Why.STOPPED_BY_SHARER if who is Stopper.SHARER else Why.STOPPED_BY_ADMIN
    assert (only["why"], only["why_detail"]) == (expected, "private figures")
    (recorded,) = await alice.sessions()
    assert (recorded["video_sid"], recorded["stopped_for"]) == (alice.sid("first"), expected)
    await rows.update_one({}, {"$unset": {f"stops.{who}": ""}})
    await alice.reconciled()
    await alice.check_one("first", "second")


async def test_who_comes_again_opted_out_has_all_deleted_that_their_screens_have_left(
    alice: Sharer,
) -> None:
    """Captures and URLs of it end, too. When they are back without that, the share goes on."""
    await alice.publish("first")
    await alice.publish("other")
    await alice.tell("participant_left", "1")
    await alice.reconciled()
    await alice.opt_out("2")
    before = datetime.now(UTC)
    await alice.publish("private", "2")
    first, other = await alice.buffers()
    assert (first["video_sid"], first["why"]) == (alice.sid("private"), Why.OPTED_OUT)
    assert other["ended_at"] is not None
    for row in (first, other):
        assert row["forget_before"] is not None
        assert row["forget_before"] > before - timedelta(seconds=1)
    assert not await alice.sessions(role="current")
    audits = alice.ctx.store.rows(AuditEntry).find({"action": AuditAction.OPTED_OUT})
    assert {row["subject"] async for row in audits} == {first["_id"], other["_id"]}
    rights = await alice.ctx.store.rows(Rights).find_one({"_id": "alice"})
    assert rights is not None
    assert rights["sharing"] > 0
    await alice.unpublish("private", "2")
    await alice.publish("again", "3")
    found = {row["_id"]: row["video_sid"] for row in await alice.buffers()}
    assert found == {first["_id"]: alice.sid("again"), other["_id"]: alice.sid("other")}
    (current,) = await alice.sessions(role="current")
    assert current["video_sid"] == alice.sid("again")


async def test_each_opt_out_ends_urls_though_what_an_earlier_one_erases_is_not_gone_yet(
    alice: Sharer,
) -> None:
    await alice.publish("first")
    people = alice.ctx.store.rows(Participant)
    generations: list[int] = []
    for _ in range(2):
        await alice.opt_out("1")
        for _ in range(2):  # the second look finds nothing new
            await alice.reconciled()
        (only,) = await alice.buffers()
        assert (only["why"], only["forget_before"] is None) == (Why.OPTED_OUT, False)
        rights = await alice.ctx.store.rows(Rights).find_one({"_id": "alice"})
        assert rights is not None
        generations.append(rights["sharing"])
        await people.update_many({}, {"$set": {"opted_out": False}})
        await alice.reconciled()
        assert await alice.sessions(role="current")
    assert 0 < generations[0] < generations[1]
    audits = alice.ctx.store.rows(AuditEntry).find({"action": AuditAction.OPTED_OUT})
    assert [row["subject"] async for row in audits] == [only["_id"]] * 2


async def test_what_was_stopped_stays_stopped_though_its_sharer_had_opted_out_since(
    alice: Sharer,
) -> None:
    await alice.publish("first")
    stopped = {"$set": {"stops.sharer": "private figures"}}
    await alice.ctx.store.rows(Buffer).update_one({}, stopped)
    await alice.reconciled()
    await alice.opt_out("1")
    await alice.reconciled()
    await alice.tell("participant_left", "1")
    await alice.publish("second", "2")
    (only,) = await alice.buffers()
    assert (only["why"], only["why_detail"]) == (Why.STOPPED_BY_SHARER, "private figures")
    assert not await alice.sessions(role="current")


async def test_whoever_is_killed_after_a_share_was_taken_up_has_lost_nothing(
    alice: Sharer,
) -> None:
    """The next to look finds its row, and begins what it lacks."""
    await alice.publish("first")
    await alice.unpublish("first")
    await alice.tell("track_published", "1", "second")
    found = await known.read(alice.ctx.store, ROOM_SID, "alice")
    (track,) = [row for row in found.tracks if row["_id"] == alice.sid("second")]
    now = datetime.now(UTC)
    await found.look_up(alice.ctx.store, "default")
    again = await known.read(alice.ctx.store, ROOM_SID, "alice")
    taken = await continuation.taken_up(alice.ctx, found, track, "default", now)
    assert taken is not None
    # Somebody who had read before that comes to the same, and changes nothing.
    again.communities.setdefault("default", None)
    assert await continuation.taken_up(alice.ctx, again, track, "default", now) == taken
    await alice.reconciled()
    await alice.check_one("first", "second")


async def test_egresses_of_shares_that_begin_again_and_again_count(
    alice: Sharer,
) -> None:
    """Whoever reconnects without end begins no more than others do."""
    alice.ctx = replace(alice.ctx, shares=ShareRates(2))
    for number in range(6):
        await alice.publish(f"{number}", f"{number}")
    assert len(alice.livekit.started) == 2
    (only,) = await alice.buffers()
    assert only["why"] == Why.TOO_OFTEN
