"""Rooms whose people LiveKit takes long to list, or for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.condition import process_checks
from app.condition.exposition import Exposition
from app.context import Context
from app.errors import Unavailable
from app.models import schema
from app.recording import facts, survey, unread_rooms
from app.work import rounds
from tests.integration.recording.listed import ListedLiveKit

SLOW, QUICK = Room(sid="RM_slow", name="slow"), Room(sid="RM_quick", name="quick")


@dataclass
class SlowLiveKit(ListedLiveKit):
    """A LiveKit that takes so many seconds for the people of some rooms: who waits less gets none.

    `asked`: the rooms whose people were asked for, and how long the asker would wait.
    """

    takes_seconds: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    async def participants(self, room: str, seconds: float = 10.0) -> list[ParticipantInfo]:
        self.asked.append((room, seconds))
        if self.takes_seconds.get(room, 0.0) > seconds:
            raise Unavailable("LiveKit does not answer: TimeoutError()")
        return await super().participants(room)


def sharer(name: str, room: Room, **attributes: str) -> ParticipantInfo:
    return ParticipantInfo(
        sid=f"PA_{name}", identity=name, attributes=attributes,
        tracks=[TrackInfo(sid=f"TR_{name}", source=TrackSource.SCREEN_SHARE)],
    )  # fmt: skip


async def shares(ctx: Context, room: Room, who: ParticipantInfo) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    await facts.room_started(ctx.store, room)
    await facts.participant_joined(ctx.store, room, who, before)
    await facts.track_published(ctx.store, room, who, who.tracks[0], before)


async def look(ctx: Context, livekit: SlowLiveKit, *, patiently: bool = True) -> None:
    """A survey, and what that asks for."""
    livekit.asked.clear()
    with rounds.begun("survey"):
        await survey.survey(ctx, livekit)
    if patiently:
        with rounds.begun("read_rooms"):
            await unread_rooms.read_rooms(ctx, livekit)


async def test_an_opt_out_in_a_room_that_takes_long_to_read_is_heard(ctx: Context) -> None:
    """With more patience, beside the survey of the others: that does not wait for it again."""
    ann, bob, ben = sharer("ann", SLOW), sharer("bob", SLOW), sharer("ben", QUICK)
    for room, who in ((SLOW, ann), (SLOW, bob), (QUICK, ben)):
        await shares(ctx, room, who)
    livekit = SlowLiveKit(takes_seconds={"slow": 30.0})
    livekit.listed = [(SLOW, [sharer("ann", SLOW, replay="off")]), (QUICK, [ben])]
    await look(ctx, livekit, patiently=False)
    assert await survey.unread(ctx).rounds() == {"slow": 1}
    assert sorted(livekit.asked) == [("quick", 10.0), ("slow", 10.0)]
    await look(ctx, livekit)
    assert livekit.asked == [("quick", 10.0), ("slow", unread_rooms.PATIENCE_SECONDS)]
    people = ctx.store.rows(schema.Participant).find({"opted_out": True})
    assert [row["_id"] async for row in people] == ["PA_ann"]
    gone = ctx.store.rows(schema.Participant).find({"unlisted_at": {"$ne": None}})
    assert [row["_id"] async for row in gone] == ["PA_bob"]
    missed = ctx.store.rows(schema.Track).find({"missing": 1})
    assert [row["_id"] async for row in missed] == ["TR_bob"]
    assert await survey.unread(ctx).rounds() == {}
    del livekit.takes_seconds["slow"]
    await look(ctx, livekit)
    assert sorted(livekit.asked) == [("quick", 10.0), ("slow", 10.0)]


async def test_a_room_that_is_never_read_is_told_of_but_not_named(ctx: Context) -> None:
    ann, ben = sharer("ann", SLOW), sharer("ben", QUICK)
    for room, who in ((SLOW, ann), (QUICK, ben)):
        await shares(ctx, room, who)
    livekit = SlowLiveKit(takes_seconds={"slow": 3600.0})
    livekit.listed = [(SLOW, [ann]), (QUICK, [ben])]
    for _ in range(unread_rooms.ROUNDS):
        assert (await process_checks.jobs(ctx)).level == "ok"
        await look(ctx, livekit)
    found = await process_checks.jobs(ctx)
    assert (found.level, found.detail) == (
        "fail", "1 of LiveKit's rooms were not read in 3 surveys in a row",
    )  # fmt: skip
    assert b"replay_buffer_unread_rooms 1.0" in await Exposition(ctx).render()
    livekit.listed = [(QUICK, [ben])]  # it is over
    await look(ctx, livekit)
    assert (await process_checks.jobs(ctx)).level == "ok"
