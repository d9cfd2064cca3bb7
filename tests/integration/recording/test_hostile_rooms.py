"""Whatever one room, person, egress or row holds, the survey serves the others."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import example, given
from hypothesis import strategies as st
from livekit.protocol.egress import EgressInfo, EgressStatus
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.buffer import clock
from app.context import Context
from app.errors import Unavailable
from app.models import SessionRole, schema, words
from app.recording import egress_clock, egress_facts, facts, reaper, survey
from app.work import rounds
from tests import hostile
from tests.integration.queued import asked_for, empty_redis
from tests.integration.recording.listed import ListedLiveKit

OURS = "/out/replay-buffer/room/user"


def sharer(name: str, **attributes: str) -> ParticipantInfo:
    screen = TrackInfo(sid=f"TR_{name}", source=TrackSource.SCREEN_SHARE)
    return ParticipantInfo(sid=f"PA_{name}", identity=name, attributes=attributes, tracks=[screen])


class Neighbour:
    """A room where alice, whose share is known, refuses now, and bob shares unknown to us.

    Carol's egress has ended; another one runs on, though its session is over.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.tag = secrets.token_hex(6)
        self.room = Room(sid=f"RM_{self.tag}", name=f"studio {self.tag}")
        self.alice = sharer(f"alice {self.tag}", replay="off")
        self.bob = sharer(f"bob {self.tag}")
        self.sessions = [f"{ctx.instance}-{secrets.token_hex(12)}" for _ in range(2)]

    async def begin(self) -> None:
        now = datetime.now(UTC) - timedelta(minutes=1)
        calm = sharer(self.alice.identity)
        await facts.room_started(self.ctx.store, self.room)
        await facts.participant_joined(self.ctx.store, self.room, calm, now)
        await facts.track_published(self.ctx.store, self.room, calm, calm.tracks[0], now)
        for session_id, role in zip(self.sessions, (SessionRole.CURRENT, None), strict=True):
            await self.ctx.store.create(
                schema.EgressSession(
                    id=session_id, buffer_id=session_id, room=self.room.name,
                    room_sid=self.room.sid, identity="carol", video_sid="TR_C", created_at=now,
                    folder=f"replay-buffer/x/y/{session_id}", segment_seconds=2, role=role,
                    egress_id=f"EG_{session_id}", status=words.EgressStatus.ACTIVE, active_at=now,
                )
            )  # fmt: skip

    def infos(self) -> list[EgressInfo]:
        """Of carol's egress, which is over, and of the one that is to be stopped."""
        now = int(datetime.now(UTC).timestamp() * 1e9)
        statuses = (EgressStatus.EGRESS_COMPLETE, EgressStatus.EGRESS_ACTIVE)
        infos = [
            EgressInfo(egress_id=f"EG_{session_id}", status=status, updated_at=now)
            for session_id, status in zip(self.sessions, statuses, strict=True)
        ]
        for info, session_id in zip(infos, self.sessions, strict=True):
            info.track_composite.segment_outputs.add(filename_prefix=f"{OURS}/{session_id}/segment")
        infos[0].ended_at = now
        return infos

    async def was_served(self, livekit: ListedLiveKit) -> None:
        people = self.ctx.store.rows(schema.Participant)
        alice = await people.find_one({"_id": self.alice.sid})
        assert alice is not None
        assert alice["opted_out"], "alice refuses"
        track = await self.ctx.store.rows(schema.Track).find_one({"_id": self.bob.tracks[0].sid})
        assert track is not None, "bob shares"
        carol = await self.ctx.store.rows(schema.EgressSession).find_one({"_id": self.sessions[0]})
        assert carol is not None
        assert carol["ended_at"] is not None, "carol's egress is over"
        assert f"EG_{self.sessions[1]}" in livekit.stopped
        asked = await asked_for(self.ctx)
        for who in (self.alice.identity, self.bob.identity, "carol"):
            assert (self.room.sid, who) in asked


async def surveyed(ctx: Context, neighbour: Neighbour, around: Any, infos: Any = ()) -> None:
    """One survey, with the neighbour amid others."""
    await empty_redis(ctx)
    over, running = neighbour.infos()
    livekit = ListedLiveKit(
        [*around, (neighbour.room, [neighbour.alice, neighbour.bob]), *around],
        [*infos, running, *infos],
        {over.egress_id: over},
    )
    with rounds.begun("survey"):
        await survey.survey(ctx, livekit)
        await reaper.reap(ctx, livekit)
    await neighbour.was_served(livekit)


@hostile.few
@given(around=hostile.LISTED)
@example(
    around=[(Room(sid="RM_e", name="evil", metadata='{"community":"\\ud800"}'), [sharer("m")])]
)
@example(around=[(Room(sid="RM_e", name="evil", metadata="[" * 60_000), [sharer("m")])])
@example(around=[(Room(sid="RM_e", name="evil"), Unavailable("no answer within 10 s"))])
@example(around=[(Room(sid="RM_e", name="evil"), [ParticipantInfo(sid="", identity="", tracks=[
    TrackInfo(sid="TR", source=TrackSource.SCREEN_SHARE)])])])  # fmt: skip
async def test_a_room_or_somebody_in_it_never_keeps_others_from_being_seen(
    ctx: Context, around: Any
) -> None:
    """One who opts out in another room is heard, and what webhooks did not tell is found."""
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    await surveyed(ctx, neighbour, around)


@hostile.few
@given(data=st.data())
async def test_an_egress_never_keeps_others_from_being_seen(
    ctx: Context, data: st.DataObject
) -> None:
    """Whatever its info says, and although it claims to serve a session that there is."""
    neighbour, other = Neighbour(ctx), Neighbour(ctx)
    await neighbour.begin()
    await other.begin()
    prefixes = st.sampled_from([f"{OURS}/{each}/segment" for each in other.sessions])
    infos = data.draw(st.lists(hostile.egresses(prefixes), max_size=4))
    await surveyed(ctx, neighbour, [(other.room, [other.alice])], infos)


@hostile.few
@given(
    tracks=st.lists(hostile.rows("room_sid", "identity", "missing", "published_at"), max_size=3),
    sessions=st.lists(
        hostile.rows("room_sid", "identity", "egress_id", "ended_at", "ghost_at"), max_size=3
    ),
    slots=st.lists(hostile.VALUES, max_size=3),
)
@example(tracks=[{}], sessions=[{}], slots=[None])
async def test_a_row_never_keeps_others_from_being_seen(
    ctx: Context, tracks: list[Any], sessions: list[Any], slots: list[Any]
) -> None:
    """It lacks fields, or they hold what they never should."""
    for collection, found, is_live in (
        (schema.Track, tracks, {"live": True}),
        (schema.EgressSession, sessions, {"role": "current"}),
        (schema.Community, [{"slots": slots}], {}),
    ):
        made = [
            row | is_live | dict.fromkeys(("_id", "buffer_id"), secrets.token_hex(6))
            for row in found
        ]
        if made:
            await ctx.store.database[+collection].insert_many(made)
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    await surveyed(ctx, neighbour, [])


async def test_of_a_room_that_is_not_listed_nothing_is_concluded(ctx: Context) -> None:
    """Its tracks are not missed, and its recorders not taken for gone."""
    neighbour, silent = Neighbour(ctx), Neighbour(ctx)
    await neighbour.begin()
    await silent.begin()
    _, running = silent.infos()
    running.egress_id = f"EG_{silent.sessions[0]}"
    running.track_composite.segment_outputs[0].filename_prefix = f"{OURS}/{silent.sessions[0]}/s"
    running.started_at = running.updated_at = 1
    for _ in range(3):
        await surveyed(ctx, neighbour, [(silent.room, Unavailable("no answer"))], [running])
    track = await ctx.store.rows(schema.Track).find_one({"_id": silent.alice.tracks[0].sid})
    session = await ctx.store.rows(schema.EgressSession).find_one({"_id": silent.sessions[0]})
    assert track is not None
    assert session is not None
    assert (track["missing"], session["ghost_at"]) == (0, None)


@pytest.mark.parametrize(
    ("hours", "believed"),
    [(-1 / 60, True), (0, True), (-1, False), (1 / 60, False), (20, False), (1_700_000, False)],
)
@pytest.mark.parametrize("ended_days", [900, -900])
async def test_of_an_egress_only_times_of_its_session_are_believed(
    ctx: Context, hours: float, believed: bool, ended_days: int
) -> None:
    """By a clock of the year 2218 no segment would be old enough to go."""
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    info, _ = neighbour.infos()
    info.ended_at = int((datetime.now(UTC) + timedelta(days=ended_days)).timestamp() * 1e9)
    started = datetime.now(UTC) + timedelta(hours=hours)
    info.segment_results.add(started_at=int(started.timestamp() * 1e9))
    await egress_facts.note(ctx.store, info, datetime.now(UTC))
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": neighbour.sessions[0]})
    assert row is not None
    assert row["clock_exact"] is believed
    assert row["ended_at"] is not None
    assert row["created_at"] <= row["ended_at"] <= datetime.now(UTC)


async def test_no_media_is_believed_to_be_of_a_time_that_is_to_come(ctx: Context) -> None:
    """A minute of it is there, so a session of a minute began a minute ago."""
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    info, _ = neighbour.infos()
    began = datetime.now(UTC)
    segment: dict[str, Any] = {"session_id": neighbour.sessions[0], "start": began, "end": began}
    segment |= {"sequence": 0, "start_ticks": 0, "end_ticks": 60 * clock.TICKS_PER_SECOND}
    await ctx.store.database[+schema.Segment].insert_one(segment)
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": neighbour.sessions[0]}, {"$set": {"clock_ns": clock.anchored(began, 0)}}
    )
    for seconds, believed in ((30, False), (60, True)):
        del info.segment_results[:]
        started = began - timedelta(seconds=seconds)
        info.segment_results.add(started_at=int(started.timestamp() * 1e9))
        row = await ctx.store.rows(schema.EgressSession).find_one({"_id": neighbour.sessions[0]})
        assert row is not None
        await egress_facts.note(ctx.store, info, datetime.now(UTC))
        await egress_clock.settle(ctx.store, row, info)
        row = await ctx.store.rows(schema.EgressSession).find_one({"_id": neighbour.sessions[0]})
        assert row is not None
        assert row["clock_exact"] is believed


@pytest.mark.parametrize("wrong", ["room_id", "video_track_id", "audio_track_id", ""])
async def test_an_egress_ends_no_session_that_did_not_ask_for_it(ctx: Context, wrong: str) -> None:
    """Although it writes into its folder, as it says, and the session has no answer yet."""
    session_id = f"{ctx.instance}-{secrets.token_hex(12)}"
    folder, now = f"replay-buffer/x/y/{session_id}", datetime.now(UTC)
    await ctx.store.create(
        schema.EgressSession(
            id=session_id, buffer_id="b", room="studio", room_sid="RM_1", identity="ann",
            video_sid="TR_V", audio_sid="TR_A", created_at=now, start_sent_at=now, folder=folder,
            segment_seconds=2, role=SessionRole.CURRENT,
        )
    )  # fmt: skip
    info = EgressInfo(egress_id="EG_1", room_id="RM_1", status=EgressStatus.EGRESS_COMPLETE)
    info.track_composite.video_track_id, info.track_composite.audio_track_id = "TR_V", "TR_A"
    info.track_composite.segment_outputs.add(filename_prefix=f"/out/{folder}/segment")
    if wrong:
        ParseDict({wrong: "other"}, info if wrong == "room_id" else info.track_composite)
    assert await egress_facts.note(ctx.store, info, now) is not bool(wrong)
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": session_id})
    assert row is not None
    assert (row["egress_id"], row["ended_at"] is None) == (
        (None, True) if wrong else ("EG_1", False)
    )


async def test_rooms_whose_list_is_too_long_to_read_hide_no_other_room(ctx: Context) -> None:
    """As long as one's metadata may be, some hundreds of them are; webhooks told of half."""
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    metadata = "m" * 64_000
    rooms = [Room(sid=f"RM_{n}", name=f"evil {n}", metadata=metadata) for n in range(300)]
    for room in rooms[::2]:
        await facts.room_started(ctx.store, room)
    await surveyed(ctx, neighbour, [(room, []) for room in rooms])
    living = {"finished_at": None, "missing": 0}
    assert await ctx.store.rows(schema.Room).count_documents(living) == 151


async def test_an_egress_that_names_anothers_session_hides_nothing_of_it(ctx: Context) -> None:
    """Neither makes it a ghost, nor keeps the one that is to be stopped from being."""
    neighbour = Neighbour(ctx)
    await neighbour.begin()
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": neighbour.sessions[0]}, {"$set": {"created_at": datetime(2026, 1, 1, tzinfo=UTC)}}
    )
    own, running = neighbour.infos()
    own.ended_at, own.status = 0, EgressStatus.EGRESS_ACTIVE
    others = [EgressInfo(), EgressInfo()]
    for other, one in zip(others, (own, running), strict=True):
        other.CopyFrom(one)
        other.egress_id, other.started_at, other.updated_at = f"EG_other {one.egress_id}", 1, 1
    livekit = ListedLiveKit([(neighbour.room, [])], [*others, own, running, *others])
    with rounds.begun("survey"):
        await survey.survey(ctx, livekit)
    row = await ctx.store.rows(schema.EgressSession).find_one({"_id": neighbour.sessions[0]})
    assert row is not None
    assert row["ghost_at"] is None
    assert running.egress_id in livekit.stopped
