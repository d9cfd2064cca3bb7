"""Packs go with what is deleted of what they hold: none stays that holds what nobody is to have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from app.buffer import packs, pins
from app.cleaning import cleanup, erasure, pack_removal, part_erasure, strays
from app.cleaning.pack_removal import WRITING_LASTS
from app.cleaning.removal import remove
from app.context import Context
from app.indexing.packer import Packer
from app.models import ErasedRange, MediaRange, PackRow, PackState, Row, SegmentRow
from app.models.schema import Buffer, EgressSession, Pack, Segment
from app.settings import Settings
from app.storage.clip_folder import ClipFolder
from app.storage.clip_places import clip_bucket
from app.storage.pack_places import PACK_BYTES
from app.storage.shared_folder import SharedFolder
from app.store import row_of
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.buffer.far_shares import FarShare, begin_far_share
from tests.integration.buffer.shares import begin_share, indexing
from tests.integration.conftest import MakeSettings
from tests.media_factory import Recording
from tests.object_front import ObjectFront
from tests.waiting import PATIENCE_SECONDS, wait_for

IN_A_PACK = 2


@pytest.fixture
def settings(make_settings: MakeSettings, both_behind_front: dict[str, str]) -> Settings:
    return make_settings(**both_behind_front)


@pytest_asyncio.fixture
async def share(
    ctx: Context, far_buffer: dict[str, str], seaweed: Seaweed, recording: Recording
) -> FarShare:
    """A share that is over, with 6 segments in 3 packs, which are smaller than others are."""
    bucket = Bucket(far_buffer, seaweed.endpoint)
    start = datetime.now(UTC) - timedelta(seconds=60)
    made = await begin_far_share(ctx, bucket, "ann", start, recording, role=None)
    made.commit(6)
    made.egress.end()
    await made.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC))
    async with indexing(ctx):
        await made.read_to_the_end()
    rows = await segments(made)
    for number in range(0, 6, IN_A_PACK):
        await pack(ctx, rows[number : number + IN_A_PACK])
    return made


async def segments(share: FarShare) -> list[SegmentRow]:
    return await share.rows()


async def pack(ctx: Context, rows: Sequence[SegmentRow], **given: object) -> PackRow:
    """A pack of these segments, as whoever packs leaves it."""
    assert ctx.packs is not None
    fragments = [
        {"sequence": row["sequence"], "offset": 0, "length": 1, "modified_ns": None} for row in rows
    ]
    fields = {
        "id": f"{rows[0]['sequence']:024x}",
        "session_id": rows[0]["session_id"],
        "state": "written",
        "fragments": fragments,
        "start_ticks": rows[0]["start_ticks"],
        "end_ticks": rows[-1]["end_ticks"],
        "created_at": datetime.now(UTC),
    }
    row = row_of(Pack.model_validate(fields | given))
    tag = await ctx.packs.put(packs.storage_path(row), b"media")
    row["tag"] = tag if row["state"] == "written" else ""
    await ctx.store.rows(Pack).insert_one(row)
    return row


async def left(ctx: Context) -> list[int]:
    """The first segment in each pack that is in the bucket; rows tell of these and no others."""
    assert ctx.packs is not None
    rows = await ctx.store.rows(Pack).find({}).to_list(None)
    kept = await ctx.packs.listed("packs")
    assert sorted(kept) == sorted(map(packs.storage_path, rows))
    return sorted(int(path.rpartition("/")[2], 16) for path in kept)


def asked_anew(ctx: Context) -> Context:
    """As after a start: nobody knows that the bucket was away."""
    place = ctx.settings.clips_place
    assert place is not None
    return replace(ctx, clips=clip_bucket(ctx.settings, place, ctx.instance))


async def promised(ctx: Context, share: FarShare, start: datetime, end: datetime) -> ErasedRange:
    part = await part_erasure.promise(ctx.store, share.buffer_id, start, end)
    return await part_erasure.note_captures_ended(ctx.store, share.buffer_id, part)


async def ranges(ctx: Context) -> list[ErasedRange]:
    (row,) = await ctx.store.rows(Buffer).find({}).to_list(None)
    return row["forget_ranges"]


async def test_a_pack_goes_with_the_first_segment_of_it_though_others_are_pinned(
    ctx: Context, share: FarShare
) -> None:
    rows = await segments(share)
    await remove(ctx, rows[:1])
    (row,) = [
        each
        for each in await ctx.store.rows(Pack).find({}).to_list(None)
        if each["state"] != "written"
    ]
    assert row["_id"].endswith("0"), "it is copied from no more"
    await cleanup.run(ctx)
    assert await left(ctx) == [2, 4]
    pinned: MediaRange = {
        "session_id": share.session_id,
        "start_ticks": rows[3]["start_ticks"] + 90_000,
        "end_ticks": rows[3]["end_ticks"],
    }
    await pins.pin(ctx.store, "watch", [pinned], datetime.now(UTC) + timedelta(minutes=1))
    assert await remove(ctx, rows[1:4]) == 2
    await cleanup.run(ctx)
    assert await left(ctx) == [4]


async def test_only_packs_of_the_same_stretch_are_looked_into(
    ctx: Context, share: FarShare
) -> None:
    rows = await segments(share)
    await ctx.store.rows(Pack).update_many({}, {"$set": {"fragments": [{}]}})
    await remove(ctx, rows[5:])
    await cleanup.run(ctx)
    assert await left(ctx) == [0, 2]


async def test_a_segment_whose_file_is_missing_takes_its_pack_along(
    ctx: Context, share: FarShare
) -> None:
    (file,) = ctx.settings.media_root.glob("fragments/*/*/*/00000002.m4s")
    file.unlink()
    assert (await strays.settle(ctx, datetime.now(UTC))).missing == 1
    assert await pack_removal.sweep(ctx)
    assert await left(ctx) == [0, 4]


async def test_of_a_part_that_is_deleted_no_pack_stays_pinned_or_not(
    ctx: Context, share: FarShare, front: ObjectFront
) -> None:
    """It is under way for as long as the bucket is away, which keeps nothing on the disk."""
    rows = await segments(share)
    part = await promised(ctx, share, rows[2]["start"], rows[3]["end"] - timedelta(seconds=1))
    front.cut()
    await part_erasure.erase(ctx, share.buffer_id, [part])
    assert share.files("*.m4s") == [f"{number:08}.m4s" for number in (0, 1, 4, 5)]
    front.heal()
    await part_erasure.erase(ctx, share.buffer_id, [part])
    assert await ranges(ctx) == [part], "it is not asked at once again"
    await part_erasure.erase(asked_anew(ctx), share.buffer_id, [part])
    assert await ranges(ctx) == []
    assert await left(ctx) == [0, 4]


async def test_of_a_part_whose_segments_have_no_rows_any_more_no_pack_stays(
    ctx: Context, share: FarShare, front: ObjectFront
) -> None:
    rows = await segments(share)
    await ctx.store.rows(Segment).delete_many({"sequence": {"$in": [2, 3]}})
    inside = rows[2]["start"] + timedelta(seconds=1)
    part = await promised(ctx, share, inside, inside + timedelta(seconds=0.5))
    front.cut()
    await part_erasure.erase(ctx, share.buffer_id, [part])
    assert await ranges(ctx) == [part]
    front.heal()
    await part_erasure.erase(asked_anew(ctx), share.buffer_id, [part])
    assert await ranges(ctx) == []
    assert await left(ctx) == [0, 4]


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_bucket_that_is_away_keeps_nothing_on_the_disk(
    ctx: Context, share: FarShare, front: ObjectFront, refuses: bool
) -> None:
    """Neither does one that refuses; what has no packs in it is forgotten meanwhile."""
    await erasure.promise(ctx.store, share.buffer_id, datetime.now(UTC))
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await share.change(ended_at=long_ago)
    other = await begin_share(ctx, "bob", long_ago, share.media, role=None)
    await other.change(status="EGRESS_COMPLETE", ended_at=long_ago, indexing=None)
    if refuses:
        front.answer("", 403, "AccessDenied")
    else:
        front.cut()
    assert not await erasure.erase(ctx, share.buffer_id)
    assert share.files("*.m4s") == []
    assert await share.rows() == []
    assert await ctx.store.rows(Pack).count_documents({"state": "condemned"}) == 3
    near = replace(ctx, egress=SharedFolder(ctx.settings.media_root))
    await cleanup.run(near)
    left_over = await ctx.store.rows(EgressSession).find({}, {"_id": 1}).to_list(None)
    assert [row["_id"] for row in left_over] == [share.session_id]
    front.heal()
    assert await erasure.erase(asked_anew(ctx), share.buffer_id)
    assert await left(ctx) == []


async def test_packs_go_though_none_are_made_any_more(ctx: Context, share: FarShare) -> None:
    """Who has unset BUFFER_URL; but not out of a bucket that CLIPS_URL names no more."""
    root = ctx.settings.media_root
    near = replace(ctx, egress=SharedFolder(root))
    assert near.packs is None
    nowhere = replace(near, clips=ClipFolder(root))
    await erasure.promise(ctx.store, share.buffer_id, datetime.now(UTC))
    assert not await erasure.erase(nowhere, share.buffer_id)
    assert share.files("*.m4s") == []
    assert await left(ctx) == [0, 2, 4]
    assert await erasure.erase(near, share.buffer_id)
    assert await left(ctx) == []


async def test_a_pack_of_a_session_without_a_row_goes(ctx: Context, share: FarShare) -> None:
    await ctx.store.rows(EgressSession).delete_many({})
    assert await pack_removal.sweep(ctx)
    assert await left(ctx) == []


async def test_the_row_of_a_pack_that_was_never_put_keeps_nobody_waiting(
    ctx: Context, share: FarShare
) -> None:
    """Also if it was condemned while its fragments were read."""
    await ctx.store.rows(Pack).delete_many({})
    enough = {"$set": {"size_bytes": 2 * PACK_BYTES}}  # more than its file has
    await ctx.store.rows(Segment).update_one({"sequence": 5}, enough)
    session = await ctx.store.rows(EgressSession).find_one({"_id": share.session_id})
    assert session is not None
    with Meanwhile(partial(condemned, ctx)) as executor:
        packer = Packer(ctx, executor)
        await packer.begin(session)
        running = asyncio.create_task(packer.run())
        try:
            assert await asyncio.to_thread(executor.has_read.wait, PATIENCE_SECONDS)
            await wait_for(lambda: has_none(ctx))
        finally:
            running.cancel()
            await asyncio.wait({running})


class Meanwhile(ThreadPoolExecutor):
    """Does something, and then what it is asked to."""

    def __init__(self, first: Callable[[], None]) -> None:
        super().__init__(1)
        self.has_read = threading.Event()
        self._first = first

    def submit(self, fn: Any, /, *args: Any, **named: Any) -> Future[Any]:
        def both() -> Any:
            self._first()
            try:
                return fn(*args, **named)
            finally:
                self.has_read.set()

        return super().submit(both)


def condemned(ctx: Context) -> None:
    with MongoClient[Row](ctx.settings.mongo_url) as client:
        rows = client[ctx.store.database.name][+Pack]
        assert rows.update_many({}, {"$set": {"state": "condemned"}}).matched_count == 1


async def has_none(ctx: Context) -> bool:
    return await ctx.store.rows(Pack).count_documents({}) == 0


async def test_of_a_share_that_is_deleted_nothing_stays_in_the_bucket(
    ctx: Context, share: FarShare
) -> None:
    """Nor what no row tells of. One that was about to be put is waited for."""
    assert ctx.packs is not None
    rows = await segments(share)
    coming = await pack(ctx, rows[5:], id=f"{9:024x}", state="writing")
    await ctx.packs.put(f"{packs.folder(share.session_id)}/{8:024x}", b"of nobody")
    await erasure.promise(ctx.store, share.buffer_id, datetime.now(UTC))
    assert not await erasure.erase(ctx, share.buffer_id)
    assert await ctx.packs.listed("packs") == []
    assert [row["_id"] async for row in ctx.store.rows(Pack).find({})] == [coming["_id"]]
    await ctx.packs.put(packs.storage_path(coming), b"late")
    long_ago = datetime.now(UTC) - WRITING_LASTS - timedelta(seconds=1)
    await ctx.store.rows(Pack).update_many({}, {"$set": {"created_at": long_ago}})
    assert await erasure.erase(ctx, share.buffer_id)
    assert await left(ctx) == []
    assert await ctx.store.rows(EgressSession).count_documents({}) == 0


async def test_a_pack_whose_writer_died_goes_and_an_altered_row_leads_to_no_object(
    ctx: Context, share: FarShare
) -> None:
    rows = await segments(share)
    long_ago = datetime.now(UTC) - WRITING_LASTS - timedelta(seconds=1)
    await pack(ctx, rows[5:], id=f"{9:024x}", state="writing", created_at=long_ago)
    assert await left(ctx) == [0, 2, 4, 9]
    altered = row_of(
        Pack(
            id="..", session_id="../replays", state=PackState.CONDEMNED, fragments=[], tag="x",
            start_ticks=0, end_ticks=1, created_at=long_ago,
        )
    )  # fmt: skip
    await ctx.store.rows(Pack).insert_one(altered)
    assert await pack_removal.sweep(ctx)
    assert await left(ctx) == [0, 2, 4]
