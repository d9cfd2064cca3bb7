"""Whatever a row or a file holds, the jobs that recur serve the others.

Each test puts things that nobody should ever have written amid a healthy one, and looks at that.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from odmantic import Model
from pydantic import SecretStr
from pymongo.errors import DuplicateKeyError

from app.access import quota
from app.buffer.coverage import CoverageRun
from app.buffer.paths import THUMBNAILS_ROOT
from app.captures import execution, share_erasure
from app.captures.capture_tools import CaptureTools
from app.cleaning import cleanup, governor
from app.clips import clip_expiry, clip_thumbnails, quota_check
from app.context import Context
from app.events import outbox, sender, settlement
from app.events.contents import BufferStartedContent
from app.models import CaptureStatus, EventRow, EventState, Row, SessionRole
from app.models.schema import (
    Buffer,
    Capture,
    Community,
    EgressSession,
    File,
    Marker,
    OutgoingEvent,
    Participant,
    Pin,
    ReplayClip,
    Room,
    Segment,
    Summary,
    UserReplayQuota,
)
from app.models.words import Indexing
from app.recording import fact_expiry
from app.settings import Settings
from app.viewing.looks import Looks
from tests import hostile
from tests.integration.captures.rows import add_capture
from tests.integration.clips.rows import add_clip
from tests.integration.conftest import MakeSettings
from tests.integration.events.delivering import deliver
from tests.integration.queued import empty_redis, queued
from tests.waiting import PATIENCE_SECONDS

SECOND = 90_000
LONG_AGO = timedelta(hours=3)
Found = dict[str, Any]


def some(*fields: str) -> st.SearchStrategy[list[Found]]:
    return st.lists(hostile.rows(*fields), max_size=3)


async def put(ctx: Context, model: type[Model], found: list[Found], **fixed: object) -> None:
    """Inserts rows as they are, where an index lets them be.

    `fixed` fields are those by which the job finds them.
    """
    for row in found:
        with suppress(DuplicateKeyError):
            await ctx.store.database[+model].insert_one(row | fixed | {"_id": secrets.token_hex(8)})


class OldShare:
    """A share of long ago, with one session of ten segments of 2 s."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.id = f"{ctx.instance}-{secrets.token_hex(12)}"
        self.began = datetime.now(UTC) - LONG_AGO

    async def begin(self, *, live: bool, **of_buffer: Any) -> None:
        common: Found = {"room": "room", "room_sid": "RM", "identity": "ann", "video_sid": self.id}
        ended_at = None if live else self.began + timedelta(seconds=20)
        buffer = {"participant_sid": "PA", "since": self.began, "ended_at": ended_at}
        await self.ctx.store.create(Buffer(id=self.id, **(common | buffer | of_buffer)))
        await self.ctx.store.create(
            EgressSession(
                id=self.id, buffer_id=self.id, folder=f"replay-buffer/room/user/{self.id}",
                created_at=self.began, segment_seconds=2, clock_exact=True, ended_at=ended_at,
                clock_ns=int(self.began.timestamp()) * 10**9,
                role=SessionRole.CURRENT if live else None,
                indexing=Indexing.LIVE if live else None, **common,
            )
        )  # fmt: skip
        for number in range(10):
            start = self.began + timedelta(seconds=2 * number)
            await self.ctx.store.create(
                Segment(
                    id=f"{self.id}:{number}", session_id=self.id, buffer_id=self.id,
                    sequence=number, name=f"{number:08d}.m4s", start=start,
                    end=start + timedelta(seconds=2), start_ticks=number * 2 * SECOND,
                    end_ticks=(number + 1) * 2 * SECOND, extinf_seconds=2.0, size_bytes=1000,
                    indexed_at=start,
                )
            )  # fmt: skip

    async def count(self, model: type[Model]) -> int:
        """How many rows of a model are of this share."""
        which = {"$or": [{"_id": self.id}, {"buffer_id": self.id}]}
        return await self.ctx.store.database[+model].count_documents(which)


BUFFERS = some("room", "community", "identity", "since")
SESSIONS = some("buffer_id", "folder", "clock_ns", "indexing", "created_at", "ghost_at")
SEGMENTS = some("buffer_id", "sequence", "name", "start_ticks", "end_ticks", "fault", "start")


@hostile.few
@given(
    buffers=BUFFERS,
    sessions=SESSIONS,
    segments=SEGMENTS,
    markers=some("buffer_id", "at", "created_at"),
    communities=some("retention_minutes"),
    pins=some("owner", "start_ticks", "end_ticks"),
)
@example(
    buffers=[{}],
    sessions=[{"folder": "../../.."}, {"folder": "\0"}, {}],
    segments=[{}],
    markers=[{}],
    communities=[{"retention_minutes": 1e300}, {"retention_minutes": -1e10}],
    pins=[{}],
)
async def test_cleanup_removes_what_is_old_of_the_others(
    ctx: Context, buffers: Any, sessions: Any, segments: Any, markers: Any, communities: Any,
    pins: Any,
) -> None:  # fmt: skip
    now = datetime.now(UTC)
    share = OldShare(ctx)
    await share.begin(live=False)
    bad = f"{ctx.instance}-{secrets.token_hex(12)}"
    await put(ctx, Buffer, buffers, ended_at=share.began)
    await put(ctx, EgressSession, sessions, ended_at=share.began, role=None)
    for row in segments:
        await put(ctx, Segment, [row], end=share.began, session_id=secrets.token_hex(8))
    await put(ctx, Marker, markers, kept_until=now + timedelta(hours=1))
    await put(ctx, Community, communities)
    await put(ctx, Pin, pins, session_id=bad, until=now + timedelta(hours=1))
    await cleanup.run(ctx)
    for model in (Segment, EgressSession, Buffer):
        assert await share.count(model) == 0, model


@settings(hostile.few, max_examples=4)
@given(buffers=BUFFERS, sessions=SESSIONS, segments=SEGMENTS)
@example(buffers=[{}], sessions=[{"clock_ns": "x", "buffer_id": "b"}], segments=[{}])
async def test_a_full_disk_is_relieved_by_the_others(
    make_settings: MakeSettings, ctx: Context, buffers: Any, sessions: Any, segments: Any
) -> None:
    full = replace(ctx, settings=make_settings(free_space_min_bytes=2**60))
    share = OldShare(ctx)
    await share.begin(live=True)
    await put(ctx, Buffer, buffers, ended_at=None)
    for row in sessions:
        session_id = secrets.token_hex(8)
        with_clock = {"clock_ns": 1} | row | {"_id": session_id, "role": None}
        await ctx.store.database[+EgressSession].insert_one(with_clock)
        await put(ctx, Segment, segments[:1], session_id=session_id)
        runs = [{"first": 0}] if row else []
        await ctx.store.database[+Summary].insert_one({"_id": session_id, "runs": runs})
    await governor.relieve(full)
    assert 0 < await share.count(Segment) < 10
    await ctx.store.rows(EgressSession).delete_many({})


@pytest.mark.parametrize(
    "altered",
    [
        {"start_ticks": "x"},
        {"end_ticks": float("nan")},
        {"end_ticks": float("inf")},
        {"end_ticks": None},
        {},
    ],
    ids=str,
)
async def test_what_cannot_be_compared_keeps_no_disk_full(
    make_settings: MakeSettings, ctx: Context, altered: Found
) -> None:
    """How full a buffer is, of a summary that was altered; and a clock that is no number."""
    full = replace(ctx, settings=make_settings(free_space_min_bytes=2**60))
    share = OldShare(ctx)
    await share.begin(live=True)
    run = CoverageRun(0, 9, 0, 20 * SECOND, False, 160, 120, 6000).document()
    for number in range(2):
        session_id = secrets.token_hex(8)
        clock_ns: Any = "x" if not altered else 10**18
        row = {"_id": session_id, "clock_ns": clock_ns, "buffer_id": "bad", "indexing": None}
        await ctx.store.database[+EgressSession].insert_one(row | {"video_sid": str(number)})
        summary: Found = {"_id": session_id, "runs": [run | altered]}
        await ctx.store.database[+Summary].insert_one(summary)
    await governor.relieve(full)
    assert 0 < await share.count(Segment) < 10


async def test_a_capture_that_cannot_be_read_ends_no_other_one(ctx: Context) -> None:
    """They run in one task group, which ends with the first error."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    rows: list[Row] = [{"_id": "bare"}, {"_id": "odd", "attempts": "x", "lease": None}]
    for row in rows:
        await ctx.store.database[+Capture].insert_one(row | {"lease_until": past})
    tools = CaptureTools.of(ctx.settings)
    async with asyncio.TaskGroup() as running:
        for row in rows:
            await execution.begin(ctx, tools, running, row["_id"])


@pytest.mark.parametrize(
    "altered",
    [{"since": None}, {"since": "x"}, {"room": 7}, {"identity": None}, {"why": 7}, {}],
    ids=str,
)
async def test_whoever_looks_at_the_buffers_sees_the_others(ctx: Context, altered: Found) -> None:
    share = OldShare(ctx)
    await share.begin(live=True)
    (row,) = await ctx.store.database[+Buffer].find({"_id": share.id}).to_list()
    bad = {each: value for each, value in row.items() if altered or each in ("_id", "since")}
    if altered:
        bad |= altered
    await ctx.store.database[+Buffer].insert_one(bad | {"_id": "bad"})
    looks = Looks(ctx)
    with looks.followed([{}]) as follower:
        lines = await follower.next(PATIENCE_SECONDS)
    await looks.close()
    assert lines is not None
    assert share.id in [line.buffer_id for line in lines]


async def test_whoever_looks_at_the_buffers_sees_those_of_readable_sessions(ctx: Context) -> None:
    good, bad = OldShare(ctx), OldShare(ctx)
    for share in (good, bad):
        await share.begin(live=True)
    await ctx.store.database[+Summary].insert_one({"_id": bad.id, "runs": [{"first": "x"}]})
    looks = Looks(ctx)
    with looks.followed([{}]) as follower:
        lines = await follower.next(PATIENCE_SECONDS)
    await looks.close()
    assert [line.buffer_id for line in lines or ()] == [good.id]


@hostile.few
@given(sessions=SESSIONS, segments=SEGMENTS, buffers=BUFFERS)
@example(sessions=[{"folder": "../../.."}, {"clock_ns": "x"}], segments=[{}], buffers=[{}])
async def test_what_is_to_be_forgotten_of_the_others_is(
    ctx: Context, sessions: Any, segments: Any, buffers: Any
) -> None:
    """Of other shares, and of the same one: what can't be forgotten is tried again."""
    now = datetime.now(UTC)
    await put(ctx, Buffer, buffers, forget_before=now)
    share = OldShare(ctx)
    await share.begin(live=False, forget_before=now)
    for row in sessions:
        session_id = f"0{secrets.token_hex(8)}"
        await ctx.store.database[+EgressSession].insert_one(
            row
            | {"_id": session_id, "buffer_id": share.id, "created_at": share.began, "role": None}
        )
        await put(ctx, Segment, segments[:1], session_id=session_id)
    await share_erasure.go_on_with_all(ctx)
    assert await share.count(Segment) == 0
    assert await ctx.store.rows(EgressSession).find_one({"_id": share.id}) is None


async def test_a_capture_that_cannot_be_ended_keeps_no_other_from_it(ctx: Context) -> None:
    """The promise stays, so that it is tried again."""
    now = datetime.now(UTC)
    share = OldShare(ctx)
    await share.begin(live=False, forget_before=now)
    for name in ("a", "bad", "z"):
        await add_capture(ctx, name, buffer_id=share.id, status=CaptureStatus.QUEUED)
    unreadable: Row = {"$set": {"caller": {"no": "name"}, "spans": 7, "status": "queued"}}
    await ctx.store.rows(Capture).update_one({"_id": "bad"}, unreadable)
    await ctx.store.rows(Capture).update_one({"_id": "bad"}, {"$unset": {"clip_id": ""}})
    await share_erasure.go_on_with_all(ctx)
    ended = await ctx.store.rows(Capture).distinct("_id", {"status": CaptureStatus.CANCELLED})
    assert {"a", "z"} <= set(ended)
    assert await share.count(Segment) == 0
    buffer = await ctx.store.rows(Buffer).find_one({"_id": share.id})
    assert buffer is not None
    assert buffer["forget_before"] == now.replace(microsecond=now.microsecond // 1000 * 1000)


@hostile.few
@given(captures=some("generation", "status", "clip_id", "caller"))
@example(captures=[{"generation": "x"}, {}])
async def test_captures_whose_worker_is_gone_are_queued_again(ctx: Context, captures: Any) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    await put(ctx, Capture, captures, lease_until=past)
    name = secrets.token_hex(6)
    await add_capture(ctx, name, lease_until=past)
    before = await queued(ctx)
    await execution.requeue_expired(ctx)
    row = await ctx.store.rows(Capture).find_one({"_id": name})
    assert row is not None
    assert row["generation"] == 1
    assert await queued(ctx) > before


@hostile.few
@given(
    clips=some("owner", "file_id", "room", "title"),
    files=some("storage_path", "size_bytes"),
    quotas=some("charges", "reservations", "used_bytes", "held_bytes"),
)
@example(
    clips=[{}, {"owner": "a.b", "file_id": "$x"}],
    files=[{"storage_path": "../../etc/passwd"}, {"storage_path": "\0"}, {}],
    quotas=[{}],
)
async def test_clips_of_the_others_expire_and_their_quotas_are_right(
    ctx: Context, clips: Any, files: Any, quotas: Any
) -> None:
    past = datetime.now(UTC) - timedelta(days=30)
    name, owner = secrets.token_hex(6), f"owner {secrets.token_hex(6)}"
    for number, row in enumerate(files):
        file_id = secrets.token_hex(6)
        await ctx.store.database[+File].insert_one(row | {"_id": file_id})
        for model in clips[number : number + 1] or [{}]:
            bad = {"owner": f"bad {file_id}"} | model | {"file_id": file_id}
            await put(ctx, ReplayClip, [bad], ready=True, deleted_at=None)
            await put(ctx, ReplayClip, [bad], ready=True, deleted_at=past)
    await put(ctx, ReplayClip, clips, ready=True, deleted_at=None, keep=False, expires_at=past)
    await put(ctx, UserReplayQuota, quotas)
    await add_clip(ctx, name, owner=owner)
    spoilt = UserReplayQuota(id=owner, charges={name: 1000}, used_bytes=7, held_bytes=7)
    await ctx.store.create(spoilt)
    await quota_check.check(ctx, 0)
    assert (await quota.read(ctx.store, ctx.settings, owner)).used_bytes == 1000
    await ctx.store.rows(ReplayClip).update_one({"_id": name}, {"$set": {"expires_at": past}})
    await clip_expiry.sweep_clips(ctx)
    expired = await ctx.store.rows(ReplayClip).find_one({"_id": name})
    assert expired is not None
    assert expired["deleted_at"] is not None
    await ctx.store.rows(ReplayClip).update_one({"_id": name}, {"$set": {"deleted_at": past}})
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).find_one({"_id": name}) is None
    assert (await quota.read(ctx.store, ctx.settings, owner)).used_bytes == 0


async def test_more_clips_that_cannot_go_than_a_pass_takes_are_in_nobodys_way(
    ctx: Context,
) -> None:
    past = datetime.now(UTC) - timedelta(days=30)
    stuck = [{"owner": "ann"}] * (clip_expiry.AT_A_TIME + 1)
    await put(ctx, ReplayClip, stuck, ready=True, deleted_at=past)
    await add_clip(ctx, "healthy", deleted_at=past)
    walks = clip_expiry.Walks()
    for _ in range(2):
        await clip_expiry.sweep_clips(ctx, walks)
    assert await ctx.store.rows(ReplayClip).find_one({"_id": "healthy"}) is None


async def test_the_pictures_of_clips_that_are_gone_go_whatever_lies_beside_them(
    ctx: Context,
) -> None:
    root = ctx.settings.media_root / THUMBNAILS_ROOT
    names = ["a-file", "b-link", "c-dangling", "d-healthy"]
    root.mkdir(parents=True, exist_ok=True)
    (root / "a-file").write_text("no folder")
    (root / "b-link").symlink_to(Path("/"))
    (root / "c-dangling").symlink_to(root / "nowhere")
    (root / "d-healthy").mkdir()
    long_ago = (datetime.now(UTC) - LONG_AGO).timestamp()
    for name in names:
        os.utime(root / name, (long_ago, long_ago), follow_symlinks=False)
    await clip_thumbnails.sweep(ctx)
    assert not (root / "d-healthy").exists()
    assert Path("/etc").exists()


@hostile.few
@given(
    events=some("event", "identity", "data", "room_sid", "created_at", "attempts", "number"),
    here=st.booleans(),
)
@example(events=[{}], here=True)
@example(events=[{"attempts": 0, "number": -1}], here=True)
@example(events=[{"attempts": "x", "number": -1}], here=True)
@example(events=[{"number": "x"}, {"number": None}], here=True)
async def test_events_of_the_others_are_delivered(ctx: Context, events: Any, here: bool) -> None:
    """Those of the same room too. One that can't be made is tried again, and ends as dead."""
    room = f"room {secrets.token_hex(6)}"
    past = datetime.now(UTC) - timedelta(seconds=1)
    for number, row in enumerate(events):
        where = room if here else secrets.token_hex(6)
        bad = {"number": -number} | row | {"room": where, "state": "pending", "next_try_at": past}
        with suppress(DuplicateKeyError):
            await ctx.store.database[+OutgoingEvent].insert_one(bad | {"_id": secrets.token_hex(6)})
    content = BufferStartedContent(buffer_id="b1", community="default")
    await outbox.tell(ctx, content, room, room=room, room_sid="RM", identity="ann")

    async def say(_row: EventRow) -> None:
        raise KeyError("nobody is there")

    await empty_redis(ctx)
    await sender.deliver_due(ctx)
    assert await queued(ctx)
    await deliver(ctx, say, room)
    told = await ctx.store.rows(OutgoingEvent).find_one({"_id": f"buffer_started:{room}"})
    assert told is not None
    assert told["state"] == EventState.DELIVERED


async def test_an_event_that_cannot_be_made_is_dead_in_the_end(ctx: Context) -> None:
    content = BufferStartedContent(buffer_id="b1", community="default")
    with_url = replace(ctx, settings=_with_url(ctx.settings))
    await outbox.tell(with_url, content, "k", room="room", room_sid="RM", identity="ann")
    events = ctx.store.rows(OutgoingEvent)
    old: Row = {"created_at": datetime.now(UTC) - settlement.GIVE_UP_AFTER, "data": "no members"}
    await events.update_one({}, {"$set": old})

    async def say(_row: EventRow) -> None:
        """Nobody is there."""

    await deliver(with_url, say, "room")
    row = await events.find_one({})
    assert row is not None
    assert row["state"] == EventState.DEAD


def _with_url(given: Settings) -> Settings:
    url = {"events_url": "http://127.0.0.1:9/hook", "events_key": "chat"}
    return given.model_copy(update=url | {"events_secret": SecretStr("e" * 32)})


@hostile.few
@given(rooms=some("name", "community"), people=some("room", "identity", "joined_at"))
async def test_facts_of_the_others_are_forgotten(ctx: Context, rooms: Any, people: Any) -> None:
    old = datetime.now(UTC) - timedelta(days=2)
    await put(ctx, Room, rooms, finished_at=old)
    await put(ctx, Participant, people, left_at=old, room_sid="RM_bad")
    sid = f"RM_{secrets.token_hex(6)}"
    await ctx.store.create(Room.model_validate(dict(sid=sid, name="studio", finished_at=old)))
    await fact_expiry.forget_facts(ctx.store)
    assert await ctx.store.database[+Room].find_one({"_id": sid}) is None
