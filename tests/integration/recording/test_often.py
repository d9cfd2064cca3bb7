"""Whoever publishes and unpublishes without end leaves no more than so many rows and events.

Whoever does so some dozens of times an hour notices nothing: their bound is `ShareRates`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from livekit.protocol.models import ParticipantInfo, Room
from prometheus_client import REGISTRY

from app.access import communities
from app.buffer import paths
from app.context import Context
from app.models import BufferState, Why
from app.models.metric_words import ErrorKind
from app.models.schema import Buffer, EgressSession, OutgoingEvent, Participant, Track
from app.recording import attendance, connection_bounds, recorder, track_bounds
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline
from app.work.share_rates import ShareRates
from tests import webhooks
from tests.integration.conftest import MakeSettings
from tests.integration.queued import asked_for, empty_redis
from tests.integration.recording.conftest import Send
from tests.integration.recording.listed import ListedLiveKit

ROOM = webhooks.room()
MALLORY = webhooks.participant("mallory")
PER_HOUR = 3
TIMES = 12
NOW = datetime.now(UTC)


def about(name: str, who: Mapping[str, Any] = MALLORY, **more: Any) -> dict[str, Any]:
    return webhooks.event(name, room=ROOM, participant=who, **more)


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
    """What is beyond says why as long as it goes on, and then is as if it had not been."""
    refused = []
    for number in range(TIMES):
        await sharer.publish(f"TR_{number}")
        line = await told(seldom, f"TR_{number}")
        assert line is not None
        if line.state == BufferState.REFUSED:
            refused.append((line.why, line.why_detail))
        await sharer.unpublish(f"TR_{number}")
    assert refused == [(Why.TOO_OFTEN, f"{PER_HOUR}")] * (TIMES - PER_HOUR)
    assert len(sharer.livekit.started) == PER_HOUR
    rows = await counted(seldom)
    assert rows == {"Buffer": 2 * PER_HOUR, "EgressSession": PER_HOUR, "OutgoingEvent": PER_HOUR}
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


async def test_a_flood_of_tracks_leaves_so_many_rows_and_ends_are_heard(
    ctx: Context, send: Send
) -> None:
    assert (await send(about("track_published", track=webhooks.video("TR_1")))).status_code == 200
    before = errors(ErrorKind.TRACKS_TOO_MANY)
    while track_bounds.may_be_new(ctx.store, ROOM["name"], "mallory"):
        pass
    await empty_redis(ctx)
    for sid in ("TR_2", "TR_3"):
        assert (await send(about("track_published", track=webhooks.video(sid)))).status_code == 200
        event = about("track_unpublished", track=webhooks.video(sid))
        assert (await send(event)).status_code == 200
    assert await ctx.store.rows(Track).distinct("_id", {"live": True}) == ["TR_1"]
    await send(about("track_unpublished", track=webhooks.video("TR_1")))
    assert await ctx.store.rows(Track).distinct("_id", {"live": False}) == ["TR_1"]
    assert errors(ErrorKind.TRACKS_TOO_MANY) == before + 5
    bob = webhooks.participant("bob", "PA_2")
    await send(about("track_published", bob, track=webhooks.video("TR_4")))
    assert await ctx.store.rows(Track).distinct("_id", {"live": True}) == ["TR_4"]


async def test_a_flood_of_connections_leaves_so_many_rows_and_leaving_is_heard(
    ctx: Context, send: Send
) -> None:
    """Nor does a survey note them; who is known is noted whatever comes."""
    assert (await send(about("participant_joined"))).status_code == 200
    before = errors(ErrorKind.CONNECTIONS_TOO_MANY)
    while connection_bounds.may_be_new(ctx.store, ROOM["name"]):
        pass
    guest = webhooks.participant("guest", "PA_2")
    for name in ("participant_joined", "participant_left"):
        assert (await send(about(name, guest))).status_code == 200
    room = Room(sid=ROOM["sid"], name=ROOM["name"])
    people = [ParticipantInfo(sid=sid, identity=sid) for sid in ("PA_1", "PA_3")]
    await attendance.note(ctx, [room], {room.sid: people}, NOW)
    assert await ctx.store.rows(Participant).distinct("_id") == ["PA_1"]
    assert errors(ErrorKind.CONNECTIONS_TOO_MANY) == before + 4
    assert (await send(about("participant_left"))).status_code == 200
    row = await ctx.store.rows(Participant).find_one({"_id": "PA_1"})
    assert row is not None
    assert row["left_at"] is not None
