"""Presence facts follow LiveKit where webhooks were lost, and stay while something needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.access import communities, presence
from app.context import Context
from app.models import intervals, schema
from app.recording import attendance, fact_expiry, facts
from app.work import errands
from tests import webhooks
from tests.integration.clips.rows import clip_row
from tests.integration.queued import queued
from tests.integration.recording.conftest import Send
from tests.integration.recording.listed import ListedLiveKit

ROOM = Room(sid="RM_1", name="standup", metadata='{"community": "guests"}')


def person(name: str, joined_at: datetime) -> ParticipantInfo:
    return ParticipantInfo(
        sid=f"PA_{name}", identity=name, joined_at_ms=int(joined_at.timestamp() * 1000)
    )


async def there(ctx: Context, name: str, start: datetime, end: datetime) -> bool:
    stays = await presence.stays(ctx.store, name, ["RM_1"])
    return bool(intervals.within((stay.interval for stay in stays), start, end))


@pytest.mark.edge("left without joined, joined without left")
async def test_who_is_listed_was_there_and_who_is_not_left(ctx: Context) -> None:
    """A lost joined and a lost left webhook; and whoever is listed again was never gone."""
    await communities.configure(ctx.store, "guests", {"enabled": True})
    now = datetime.now(UTC)
    began = now - timedelta(minutes=5)
    recorder = person("EG_1", began)
    ann, bob = person("ann", began), person("bob", began)
    await attendance.note(ctx, [ROOM], {"RM_1": [ann, bob, recorder]}, now)
    assert await there(ctx, "ann", now, now + timedelta(seconds=1))
    assert await presence.stays(ctx.store, "EG_1", ["RM_1"]) == []
    room = await ctx.store.rows(schema.Room).find_one({"_id": "RM_1"})
    assert room is not None
    assert room["community"] == "guests"
    later = now + timedelta(seconds=20)
    await attendance.note(ctx, [ROOM], {"RM_1": [bob]}, later)
    assert not await there(ctx, "ann", later, later + timedelta(seconds=1))
    assert await there(ctx, "ann", now, later)
    assert await there(ctx, "bob", later, later + timedelta(seconds=1))
    await attendance.note(ctx, [ROOM], {"RM_1": [ann, bob]}, later)
    assert await there(ctx, "ann", later, later + timedelta(seconds=1))


async def test_a_word_of_leaving_is_final_and_a_fresh_join_is_believed(ctx: Context) -> None:
    """The list that surveys get may be older than the newest webhook."""
    now = datetime.now(UTC)
    ann, bob = person("ann", now - timedelta(minutes=1)), person("bob", now)
    await facts.participant_joined(ctx.store, ROOM, ann, now)
    await facts.participant_left(ctx.store, ROOM, ann, now)
    await facts.participant_joined(ctx.store, ROOM, bob, now)
    await attendance.note(ctx, [ROOM], {"RM_1": [ann]}, now)
    assert not await there(ctx, "ann", now + timedelta(seconds=1), now + timedelta(seconds=9))
    assert await there(ctx, "bob", now + timedelta(seconds=1), now + timedelta(seconds=9))


async def test_one_room_is_compared_when_it_is_asked_for(ctx: Context) -> None:
    """Of other rooms nothing is concluded; who has just come is looked for again, when they may be
    missed."""
    now = datetime.now(UTC)
    began, other = now - timedelta(minutes=5), Room(sid="RM_2", name="other")
    ann, bob, cid = person("ann", began), person("bob", now), person("cid", began)
    await attendance.note(ctx, [ROOM, other], {"RM_1": [ann, bob], "RM_2": [cid]}, now)
    livekit = ListedLiveKit([(ROOM, [bob])])

    async def gone() -> list[str]:
        rows = await ctx.store.rows(schema.Participant).find().to_list(None)
        return sorted(row["identity"] for row in rows if row["unlisted_at"] is not None)

    await ctx.queue.ask(errands.ATTEND, "RM_1")
    await attendance.attend(ctx, livekit, "RM_1")
    assert await gone() == ["ann"]
    before = await queued(ctx, "attend")
    livekit.listed = [(Room(sid="RM_3", name=ROOM.name), [ann])]
    await attendance.attend(ctx, livekit, "RM_1")
    assert await gone() == ["ann"]
    assert await queued(ctx, "attend") == before + 1
    settled = {"$set": {"joined_at": began}}
    await ctx.store.rows(schema.Participant).update_one({"_id": bob.sid}, settled)
    await attendance.attend(ctx, livekit, "RM_1")
    assert await gone() == ["ann", "bob"]
    await attendance.attend(ctx, livekit, "RM_unknown")
    room = await ctx.store.rows(schema.Room).find_one({"_id": "RM_2"})
    assert room is not None
    assert (room["missing"], room["finished_at"]) == (0, None)


async def test_a_connection_that_never_was_one_makes_no_row(ctx: Context, send: Send) -> None:
    """But ends one that a survey has seen meanwhile."""
    now = datetime.now(UTC)
    await attendance.note(ctx, [ROOM], {"RM_1": [person("seen", now)]}, now)
    for name in ("seen", "unseen"):
        who = webhooks.participant(identity=name, sid=f"PA_{name}")
        event = webhooks.event(
            "participant_connection_aborted", room=webhooks.room(), participant=who
        )
        assert (await send(event)).json() == {"status": "ok"}
    rows = await ctx.store.rows(schema.Participant).find().to_list(None)
    assert [(row["_id"], row["left_at"] is not None) for row in rows] == [("PA_seen", True)]


@pytest.mark.parametrize("noticed", ["by the webhook", "by a survey before it"])
async def test_however_late_the_word_of_it_comes_a_stay_ends_when_its_holder_left(
    ctx: Context, send: Send, noticed: str
) -> None:
    """Whoever can hold up webhooks is not there for what others show meanwhile."""
    now = datetime.now(UTC)
    left_at = now - timedelta(seconds=30)
    ann = person("ann", now - timedelta(minutes=5))
    await attendance.note(ctx, [ROOM], {"RM_1": [ann]}, now)
    told_at = left_at
    if noticed == "by a survey before it":
        await attendance.note(ctx, [ROOM], {"RM_1": []}, left_at)
        told_at = now
    left = webhooks.participant(identity="ann", sid=ann.sid)
    told = {"createdAt": str(int(told_at.timestamp()))}
    event = webhooks.event("participant_left", room=webhooks.room(), participant=left, **told)
    assert (await send(event)).json() == {"status": "ok"}
    assert await there(ctx, "ann", now - timedelta(seconds=60), left_at - timedelta(seconds=1))
    assert not await there(ctx, "ann", left_at + timedelta(seconds=1), now)


async def test_who_comes_and_goes_all_the_time_leaves_so_many_rows(
    ctx: Context, send: Send
) -> None:
    """Of one's connections the newest are known, those that go on, and the sharing ones."""
    now = datetime.now(UTC)
    kept, began = 2 * presence.KEPT, now - timedelta(hours=1)
    here = person("here", began)
    here.identity = "ann"
    await facts.participant_joined(ctx.store, ROOM, here, now)
    for number in range(kept + 200):
        who = person(f"{number}", began + timedelta(seconds=number))
        who.identity = "ann"
        await facts.participant_joined(ctx.store, ROOM, who, now)
        if number == 0:
            share = TrackInfo(sid="TR_V", source=TrackSource.SCREEN_SHARE)
            await facts.track_published(ctx.store, ROOM, who, share, now)
        left = webhooks.participant(identity="ann", sid=who.sid)
        await send(webhooks.event("participant_left", room=webhooks.room(), participant=left))
    bob, elsewhere = person("bob", now), person("elsewhere", began - timedelta(days=9))
    elsewhere.identity = "ann"
    await facts.participant_joined(ctx.store, ROOM, bob, now)
    await facts.participant_joined(ctx.store, Room(sid="RM_2", name="b"), elsewhere, now)
    await facts.participant_left(ctx.store, Room(sid="RM_2", name="b"), elsewhere, now)
    for number in range(64):
        await presence.forget_earlier(ctx.store, "RM_1", "ann", f"PA_{number}")
    assert await presence.stays(ctx.store, "ann", ["RM_2"])
    known = {row["_id"] async for row in ctx.store.rows(schema.Participant).find()}
    assert len(known) < kept
    newest = {f"PA_{number}" for number in range(kept + 200 - presence.KEPT + 1, kept + 200)}
    assert {"PA_here", "PA_0", "PA_bob"} | newest <= known


async def test_a_room_is_finished_when_two_surveys_in_a_row_miss_it(ctx: Context) -> None:
    now = datetime.now(UTC)

    async def finished() -> bool:
        row = await ctx.store.rows(schema.Room).find_one({"_id": "RM_1"})
        return row is not None and row["finished_at"] is not None

    await facts.room_started(ctx.store, ROOM)
    await attendance.note(ctx, [], {}, now)
    await attendance.note(ctx, [ROOM], {"RM_1": []}, now)
    await attendance.note(ctx, [], {}, now)
    assert not await finished()
    await attendance.note(ctx, [], {}, now)
    assert await finished()


async def test_facts_of_yesterday_go_unless_a_buffer_or_a_clip_needs_them(ctx: Context) -> None:
    """Tracks after an hour already, unless their share has not come to rest."""
    now = datetime.now(UTC)
    for name, hours in (("old", 25), ("new", 23), ("clipped", 25), ("buffered", 25)):
        then = now - timedelta(hours=hours)
        in_room: dict[str, Any] = {"room_sid": f"RM_{name}", "room": "room", "identity": "ann"}
        await ctx.store.create(
            schema.Room.model_validate(dict(sid=f"RM_{name}", name="room", finished_at=then))
        )
        await ctx.store.create(schema.Participant(sid=f"PA_{name}", left_at=then, **in_room))
        track: dict[str, Any] = {
            "participant_sid": "PA",
            "video": True,
            "live": False,
            "ended_at": then,
        }
        await ctx.store.create(schema.Track(sid=f"TR_{name}", **track, **in_room))
        ended_lately: dict[str, Any] = track | {"ended_at": now - timedelta(minutes=50)}
        await ctx.store.create(schema.Track(sid=f"TR_{name}_late", **ended_lately, **in_room))
        await ctx.store.create(schema.Participant(sid=f"PA_{name}_lost", **in_room))
    await ctx.store.create(clip_row("c1", room_sid="RM_clipped"))
    await ctx.store.create(
        schema.Buffer(
            id="b", room="room", room_sid="RM_buffered", identity="ann", participant_sid="PA",
            video_sid="TR_buffered", since=now
        )
    )  # fmt: skip
    gone = now - timedelta(days=2)
    stayed: dict[str, Any] = {"room_sid": "RM_endless", "room": "room", "identity": "ann"}
    await ctx.store.create(schema.Room.model_validate(dict(sid="RM_endless", name="room")))
    await ctx.store.create(schema.Participant(sid="PA_endless", left_at=gone, **stayed))
    await fact_expiry.forget_facts(ctx.store)
    left = {}
    for model in (schema.Room, schema.Participant, schema.Track):
        left[model] = sorted([row["_id"][3:] async for row in ctx.store.database[+model].find({})])
    assert left[schema.Room] == ["buffered", "clipped", "endless", "new"]
    assert left[schema.Participant] == [
        "buffered", "buffered_lost", "clipped", "clipped_lost", "new", "new_lost"
    ]  # fmt: skip
    assert left[schema.Track] == ["buffered", "buffered_late", "clipped_late", "new_late"]
