"""Whoever publishes and unpublishes without end leaves no more than so many rows and events.

Whoever does so some dozens of times an hour notices nothing: their bound is `ShareRates`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource
from prometheus_client import REGISTRY

from app.access import communities
from app.buffer import paths
from app.context import Context
from app.models import BufferState, Why
from app.models.metric_words import ErrorKind
from app.models.schema import Buffer, EgressSession, OutgoingEvent, Participant, Track
from app.recording import attendance, connection_bounds, facts, recorder, track_bounds
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline
from app.work.share_rates import ShareRates
from tests import webhooks
from tests.integration.conftest import MakeSettings
from tests.integration.queued import asked_for
from tests.integration.recording.conftest import Send
from tests.integration.recording.listed import ListedLiveKit

ROOM = webhooks.room()
MALLORY = webhooks.participant("mallory")
PER_HOUR = 3
TIMES = 12
FLOOD = 100
NOW = datetime.now(UTC)
LISTED = Room(sid="RM_1", name="studio")


def shared(name: str, track_sid: str) -> tuple[ParticipantInfo, TrackInfo]:
    track = TrackInfo(sid=track_sid, source=TrackSource.SCREEN_SHARE)
    return ParticipantInfo(sid=f"PA_{name}", identity=name), track


def about(name: str, **more: Any) -> dict[str, Any]:
    return webhooks.event(name, room=ROOM, participant=MALLORY, **more)


def errors(kind: ErrorKind) -> float:
    return REGISTRY.get_sample_value("replay_buffer_errors_total", {"type": kind}) or 0.0


@pytest.fixture
def seldom(ctx: Context, make_settings: MakeSettings) -> Context:
    """One whose shares begin at once, and that lets a user begin PER_HOUR in an hour."""
    settings = make_settings(audio_wait_seconds=0, max_concurrent_per_user=5)
    return replace(ctx, settings=settings, shares=ShareRates(PER_HOUR))


async def counted(ctx: Context) -> dict[str, int]:
    models = (Buffer, EgressSession, OutgoingEvent)
    return {each.__name__: await ctx.store.database[+each].count_documents({}) for each in models}


async def told(ctx: Context, video_sid: str) -> Timeline | None:
    buffer_id = paths.buffer_id(ctx.instance, "RM_1", video_sid)
    return await stored_timelines.read(ctx.store, buffer_id, datetime.now(UTC), ctx.settings)


class Sharer:
    """Somebody whose shares come and go, as LiveKit tells of it, and as a worker sees it."""

    def __init__(self, ctx: Context, send: Send) -> None:
        self.ctx, self.send, self.livekit = ctx, send, ListedLiveKit()

    async def reconciled(self) -> None:
        await recorder.reconcile(self.ctx, self.livekit, "RM_1", "mallory")

    async def publish(self, sid: str, track: Mapping[str, Any] | None = None) -> None:
        track = track or webhooks.video(sid)
        assert (await self.send(about("track_published", track=track))).status_code == 200
        await self.reconciled()

    async def unpublish(self, sid: str) -> None:
        """Its egress, if it has one, is over then."""
        event = about("track_unpublished", track=webhooks.video(sid))
        assert (await self.send(event)).status_code == 200
        over = {"$set": {"ended_at": datetime.now(UTC), "status": "EGRESS_COMPLETE"}}
        await self.ctx.store.rows(EgressSession).update_many({"video_sid": sid}, over)
        await self.reconciled()


@pytest.fixture
def sharer(seldom: Context, send: Send) -> Sharer:
    return Sharer(seldom, send)


async def test_a_flood_of_shares_leaves_so_many_rows_and_events(
    seldom: Context, sharer: Sharer
) -> None:
    """It is one share, again and again; what is beyond says why as long as it goes on."""
    refused = []
    for number in range(TIMES):
        await sharer.publish(f"TR_{number}")
        line = await told(seldom, "TR_0")
        assert line is not None
        if line.state == BufferState.REFUSED:
            refused.append((line.why, line.why_detail))
        await sharer.unpublish(f"TR_{number}")
    assert refused == [(Why.TOO_OFTEN, f"{PER_HOUR}")] * (TIMES - PER_HOUR)
    assert len(sharer.livekit.started) == PER_HOUR
    rows = await counted(seldom)
    assert rows == {"Buffer": 1, "EgressSession": PER_HOUR, "OutgoingEvent": 1}
    events = await seldom.store.rows(OutgoingEvent).find({}).to_list(None)
    assert {each["data"].get("why") for each in events} == {Why.TOO_OFTEN}


async def test_a_share_that_came_too_soon_is_recorded_as_soon_as_it_may(
    seldom: Context, sharer: Sharer
) -> None:
    """Its next look is asked for; and others share meanwhile, as does who tries again."""
    for number in range(PER_HOUR + 1):
        await sharer.publish(f"TR_{number}")
    assert len(sharer.livekit.started) == PER_HOUR
    assert ("RM_1", "mallory") in await asked_for(seldom)
    rested = replace(seldom, shares=ShareRates(PER_HOUR))
    await recorder.reconcile(rested, sharer.livekit, "RM_1", "mallory")
    assert len(sharer.livekit.started) == PER_HOUR + 1
    line = await told(seldom, f"TR_{PER_HOUR}")
    assert line is not None
    assert line.state == BufferState.STARTING


async def test_a_further_try_after_a_failure_is_no_further_share(
    seldom: Context, sharer: Sharer
) -> None:
    """Back-off bounds it: where egress fails for long, shares go on being tried."""
    await sharer.publish("TR_1")
    for _ in range(2 * PER_HOUR):
        failed = {"$set": {"ended_at": datetime.now(UTC), "status": "EGRESS_FAILED"}}
        await seldom.store.rows(EgressSession).update_many({"ended_at": None}, failed)
        await sharer.reconciled()
        await seldom.store.rows(Buffer).update_one({}, {"$set": {"retry_at": NOW}})
        await sharer.reconciled()
    assert len(sharer.livekit.started) > 2 * PER_HOUR


@pytest.mark.parametrize("may", [True, False])
async def test_new_sound_without_end_begins_no_further_egress(
    seldom: Context, sharer: Sharer, may: bool
) -> None:
    """What is recorded goes on as it is."""
    one = replace(seldom, shares=ShareRates(2 if may else 1))
    sharer.ctx = one
    await sharer.publish("TR_1")
    await sharer.publish("TR_A", webhooks.audio("TR_A"))
    assert [each.audio_sid for each in sharer.livekit.started] == [None, "TR_A"][: 1 + may]
    line = await told(one, "TR_1")
    assert line is not None
    assert line.state == BufferState.STARTING


async def test_a_will_that_changes_without_end_is_heard_and_is_no_flood_of_events(
    seldom: Context, sharer: Sharer
) -> None:
    """Each change counts at once; of those that are not told only the last is told later."""
    before = errors(ErrorKind.REFUSALS_TOO_MANY)
    for number in range(TIMES):
        whole = {"enabled": number % 2 == 1, "access": "rbac" if number % 3 else "open"}
        await communities.configure(seldom.store, communities.DEFAULT, whole)
        await sharer.publish("TR_1")
        opted_out = {"$set": {"opted_out": number % 4 == 0}}
        await sharer.send(about("participant_joined"))
        await seldom.store.rows(Participant).update_one({"_id": "PA_1"}, opted_out)
        await sharer.reconciled()
        line = await told(seldom, "TR_1")
        assert line is not None
        assert (line.why == Why.OPTED_OUT) is (number % 4 == 0)
    assert (await counted(seldom))["OutgoingEvent"] <= 3 * PER_HOUR
    assert errors(ErrorKind.REFUSALS_TOO_MANY) > before


async def test_a_flood_of_tracks_leaves_so_many_rows_and_ends_are_heard(ctx: Context) -> None:
    """What flows in meanwhile is far less than comes."""
    before = errors(ErrorKind.TRACKS_TOO_MANY)
    assert await facts.track_published(ctx.store, LISTED, *shared("mallory", "TR_1"), NOW)
    while track_bounds.may_be_new(ctx.store, LISTED.name, "mallory"):
        pass
    for number in range(FLOOD):
        flooding = shared("mallory", f"TR_more_{number}")
        await facts.track_published(ctx.store, LISTED, *flooding, NOW)
        await facts.track_unpublished(ctx.store, LISTED, *flooding, NOW)
    tracks = ctx.store.rows(Track)
    assert await tracks.count_documents({}) < FLOOD
    assert errors(ErrorKind.TRACKS_TOO_MANY) > before + FLOOD
    await facts.track_unpublished(ctx.store, LISTED, *shared("mallory", "TR_1"), NOW)
    assert await tracks.count_documents({"_id": "TR_1", "live": False}) == 1
    assert await facts.track_published(ctx.store, LISTED, *shared("bob", "TR_bob"), NOW)


async def test_a_flood_of_connections_leaves_so_many_rows_and_leaving_is_heard(
    ctx: Context,
) -> None:
    """Nor does a survey note them; who is known is noted whatever comes."""
    before = errors(ErrorKind.CONNECTIONS_TOO_MANY)
    ann = ParticipantInfo(sid="PA_ann", identity="ann")
    await facts.participant_joined(ctx.store, LISTED, ann, NOW)
    while connection_bounds.may_be_new(ctx.store, LISTED.name):
        pass
    guests = [ParticipantInfo(sid=f"PA_{n}", identity=f"guest {n}") for n in range(FLOOD)]
    for guest in guests:
        await facts.participant_joined(ctx.store, LISTED, guest, NOW)
        await facts.participant_left(ctx.store, LISTED, guest, NOW)
    await attendance.note(ctx, [LISTED], {LISTED.sid: [ann, *guests]}, NOW)
    people = ctx.store.rows(Participant)
    assert await people.count_documents({}) < FLOOD
    assert errors(ErrorKind.CONNECTIONS_TOO_MANY) > before + FLOOD
    ann.attributes["replay"] = "off"
    await facts.participant_joined(ctx.store, LISTED, ann, NOW)
    await facts.participant_left(ctx.store, LISTED, ann, NOW)
    left = {"_id": "PA_ann", "left_at": {"$ne": None}, "opted_out": True}
    assert await people.count_documents(left) == 1
