"""Where egress can't keep up a share goes on in a cheaper encoding: what is written and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.context import Context
from app.models import EncodingWhy
from app.models.schema import Buffer, EgressSession, EncodingStep, OutgoingEvent
from app.recording import recorder
from app.recording.encoding import asked
from app.recording.encoding_steps import HOLD, REST
from app.recording.livekit import NoWorker
from app.viewing import stored_timelines
from tests.integration.conftest import MakeSettings
from tests.integration.recording.conftest import Send
from tests.integration.recording.sharing import ROOM_SID, Sharer

FIRST, SECOND, THIRD = "H264_1080P_60", "H264_1080P_30", "H264_720P_30"
BEHIND, OVERLOADED = EncodingWhy.BEHIND, EncodingWhy.OVERLOADED


@pytest.fixture
def alice(quick: Context, make_settings: MakeSettings, send: Send) -> Sharer:
    """One whose shares go on in two steps."""
    settings = make_settings(audio_wait_seconds=0, encoding_steps=(SECOND, THIRD))
    return Sharer(replace(quick, settings=settings), send)


def steps_taken(why: str) -> float:
    return REGISTRY.get_sample_value("replay_buffer_encoding_steps_total", {"why": why}) or 0.0


async def falls_behind(sharer: Sharer) -> None:
    """The indexer has seen it of what is recorded now."""
    behind = {"$set": {"behind_at": datetime.now(UTC)}}
    await sharer.ctx.store.rows(EgressSession).update_many({"role": "current"}, behind)
    await sharer.reconciled()
    await sharer.reconciled()


async def ago(sharer: Sharer, passed: timedelta) -> None:
    """So much later; what is written tells of a time that long before."""
    at = datetime.now(UTC) - passed
    await sharer.ctx.store.rows(Buffer).update_many(
        {"step": {"$ne": None}}, {"$set": {"step.at": at}}
    )
    await sharer.ctx.store.rows(EncodingStep).update_many({}, {"$set": {"at": at}})
    created = {"$set": {"created_at": at - timedelta(seconds=1)}}
    await sharer.ctx.store.rows(EgressSession).update_many({}, created)


async def told(sharer: Sharer) -> list[dict[str, Any]]:
    rows = sharer.ctx.store.rows(OutgoingEvent).find({"event": "buffer_encoding"})
    return [each["data"] for each in await rows.sort("number", 1).to_list(None)]


async def test_what_falls_behind_is_taken_over_by_the_next_cheaper_encoding(alice: Sharer) -> None:
    """Its row says so, the timeline, an event and a metric; once, however often that is seen."""
    before = steps_taken(BEHIND)
    await alice.publish("first")
    await falls_behind(alice)
    old, new = await alice.sessions()
    assert (old["encoding"], old["encoding_why"], old["role"]) == (FIRST, None, None)
    assert (new["encoding"], new["encoding_why"], new["role"]) == (SECOND, BEHIND, "current")
    assert [each.encoding for each in alice.livekit.started] == [asked(FIRST), asked(SECOND)]
    assert old["stop_sent_at"] is not None
    assert new["active_at"] is not None
    assert old["stop_sent_at"] >= new["active_at"]  # they were recorded side by side
    (buffer,) = await alice.buffers()
    assert buffer["step"] is not None
    assert (buffer["step"]["encoding"], buffer["step"]["why"]) == (SECOND, BEHIND)
    now = datetime.now(UTC)
    line = await stored_timelines.read(alice.ctx.store, buffer["_id"], now, alice.ctx.settings)
    assert line is not None
    assert (line.encoding, line.encoding_why) == (SECOND, BEHIND)
    await alice.reconciled()
    (event,) = await told(alice)
    assert (event["buffer_id"], event["encoding"], event["why"]) == (buffer["_id"], SECOND, BEHIND)
    assert steps_taken(BEHIND) == before + 1
    assert len(alice.livekit.started) == 2


async def test_it_goes_down_step_by_step_a_minute_apart_and_not_below_the_last(
    alice: Sharer,
) -> None:
    await alice.publish("first")
    await falls_behind(alice)
    for count in (2, 3, 3):
        await falls_behind(alice)
        assert len(await alice.sessions()) == count
        await ago(alice, REST)
    encodings = [row["encoding"] for row in await alice.sessions()]
    assert encodings == [FIRST, SECOND, THIRD]
    assert [each["encoding"] for each in await told(alice)] == encodings[1:]
    assert len(await alice.sessions(role="current")) == 1


async def test_what_has_no_place_beside_the_first_follows_it(
    alice: Sharer,
) -> None:
    """Its worker takes no second egress: after a minute the first one ends, the other begins."""
    await alice.publish("first")
    alice.livekit.start_fails = NoWorker("unavailable", "no response from servers")
    await falls_behind(alice)
    assert [row["encoding"] for row in await alice.sessions(role="current")] == [FIRST]
    await ago(alice, REST)
    await alice.ctx.store.rows(Buffer).update_one({}, {"$set": {"retry_at": None}})
    alice.livekit.start_fails = None
    await falls_behind(alice)
    await alice.reconciled()
    (now,) = await alice.sessions(role="current")
    assert (now["encoding"], now["encoding_why"]) == (SECOND, BEHIND)
    assert len(await alice.sessions(ended_at=None)) == 1


@pytest.mark.parametrize("hindrance", ["no space left", "the next one recorded"])
async def test_what_is_behind_is_not_stopped_where_that_would_not_help(
    alice: Sharer, make_settings: MakeSettings, hindrance: str
) -> None:
    """What follows it could not begin, or did not fail for want of room."""
    await alice.publish("first")
    alice.livekit.start_fails = NoWorker("unavailable", "no response from servers")
    await falls_behind(alice)
    await ago(alice, REST)
    await alice.ctx.store.rows(Buffer).update_one({}, {"$set": {"retry_at": None}})
    if hindrance == "no space left":
        settings = make_settings(
            audio_wait_seconds=0, encoding_steps=(SECOND, THIRD), free_space_min_bytes=2**60
        )
        alice.ctx = replace(alice.ctx, settings=settings)
    else:
        now = datetime.now(UTC)
        recorded = {"$set": {"created_at": now, "active_at": now}}
        await alice.ctx.store.rows(EgressSession).update_one({"role": None}, recorded)
    await falls_behind(alice)
    (now_current,) = await alice.sessions(role="current")
    assert (now_current["encoding"], now_current["stop_sent_at"]) == (FIRST, None)


async def test_another_shares_step_does_not_lower_one_that_only_goes_on(alice: Sharer) -> None:
    """It keeps up in what it has: a restart of its egress changes nothing."""
    bob = Sharer(alice.ctx, alice.send, "bob")
    await bob.publish("first")
    await alice.publish("first")
    await falls_behind(alice)
    died = {"status": "EGRESS_FAILED", "ended_at": datetime.now(UTC), "behind_at": None}
    await bob.ctx.store.rows(EgressSession).update_one({"identity": "bob"}, {"$set": died})
    await bob.reconciled()
    (row,) = await bob.sessions(role="current")
    assert (row["encoding"], row["encoding_why"]) == (FIRST, None)


@pytest.mark.parametrize(
    ("error", "expected", "why"),
    [("pipeline frozen", SECOND, OVERLOADED), ("signal: killed", FIRST, None)],
)
async def test_what_died_of_too_much_work_begins_again_in_a_cheaper_encoding(
    alice: Sharer, error: str, expected: str, why: EncodingWhy | None
) -> None:
    before = steps_taken(OVERLOADED)
    await alice.publish("first")
    died = {"status": "EGRESS_FAILED", "ended_at": datetime.now(UTC), "error": error}
    await alice.ctx.store.rows(EgressSession).update_one({}, {"$set": died})
    await alice.reconciled()
    _, again = await alice.sessions()
    assert (again["encoding"], again["encoding_why"], again["role"]) == (expected, why, "current")
    assert [each["why"] for each in await told(alice)] == ([] if why is None else [why])
    assert steps_taken(OVERLOADED) == before + (why is not None)


async def test_others_begin_one_step_lower_for_an_hour_then_as_configured(alice: Sharer) -> None:
    """Whosever share it was; what goes on in another track after that hour does so, too."""
    await alice.publish("first")
    await falls_behind(alice)
    bob = Sharer(alice.ctx, alice.send, "bob")
    await bob.publish("first")
    (row,) = await bob.sessions()
    assert (row["encoding"], row["encoding_why"]) == (SECOND, EncodingWhy.STEPPED_BEFORE)
    assert await told(bob) == await told(alice)  # it began so: there is no news
    await ago(alice, HOLD)
    carol = Sharer(alice.ctx, alice.send, "carol")
    await carol.publish("first")
    (row,) = await carol.sessions()
    assert (row["encoding"], row["encoding_why"]) == (FIRST, None)
    await alice.unpublish("first")
    await alice.publish("second")
    (row,) = await alice.sessions(role="current")
    assert (row["encoding"], row["encoding_why"]) == (FIRST, None)


async def test_without_steps_as_installed_what_is_behind_stays_as_it_is(
    alice: Sharer, quick: Context
) -> None:
    alice.ctx = quick
    await alice.publish("first")
    await falls_behind(alice)
    (row,) = await alice.sessions()
    assert (row["encoding"], row["role"]) == (FIRST, "current")
    assert await alice.ctx.store.rows(EncodingStep).find_one({}) is None


async def test_whoever_is_killed_within_a_step_leaves_one_egress_in_the_end(alice: Sharer) -> None:
    """After the rows are written, and before the start was answered: it is looked for, and taken
    over by."""
    await alice.publish("first")
    alice.livekit.start_fails = RuntimeError("killed")
    behind = {"$set": {"behind_at": datetime.now(UTC)}}
    await alice.ctx.store.rows(EgressSession).update_many({}, behind)
    await recorder.reconcile(alice.ctx, alice.livekit, ROOM_SID, "alice")
    (coming,) = await alice.sessions(role="next")
    assert (coming["encoding"], coming["egress_id"]) == (SECOND, None)
    (buffer,) = await alice.buffers()
    assert buffer["step"] is not None
    assert buffer["step"]["encoding"] == SECOND
    alice.livekit.start_fails = None
    found = {"$set": {"egress_id": "EG_9"}}
    await alice.ctx.store.rows(EgressSession).update_one({"_id": coming["_id"]}, found)
    await alice.reconciled()
    await alice.reconciled()
    (only,) = await alice.sessions(ended_at=None)
    assert (only["_id"], only["role"]) == (coming["_id"], "current")
    assert len(await alice.sessions()) == 2
