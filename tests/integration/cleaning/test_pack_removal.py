"""Packs go with what is deleted of what they hold: none stays that holds what nobody is to have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from app.buffer import packs, pins
from app.cleaning import cleanup, erasure, pack_removal, part_erasure
from app.cleaning.pack_removal import WRITING_LASTS
from app.cleaning.removal import remove
from app.context import Context
from app.errors import StoreAway
from app.models import MediaRange, PackRow, PackState, SegmentRow
from app.models.schema import Buffer, EgressSession, Pack
from app.settings import Settings
from app.store import row_of
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.buffer.far_shares import FarShare, begin_far_share
from tests.integration.buffer.shares import indexing
from tests.integration.conftest import MakeSettings
from tests.media_factory import Recording
from tests.object_front import ObjectFront

IN_A_PACK = 2


@pytest.fixture
def settings(
    make_settings: MakeSettings,
    in_bucket: dict[str, str],
    far_buffer: dict[str, str],
    front: ObjectFront,
) -> Settings:
    """Of an installation whose clips, and whose egress, are in buckets behind the front."""
    return make_settings(**in_bucket | far_buffer | {"s3_endpoint": front.endpoint})


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


async def test_a_pack_goes_with_the_first_segment_of_it_that_no_pin_keeps(
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
    assert await remove(ctx, rows[1:5]) == 3
    await cleanup.run(ctx)
    assert await left(ctx) == [2]
    await pins.release(ctx.store, "watch")
    await remove(ctx, rows[3:4])
    await cleanup.run(ctx)
    assert await left(ctx) == []


async def test_of_a_part_that_is_deleted_no_pack_stays_pinned_or_not(
    ctx: Context, share: FarShare, front: ObjectFront
) -> None:
    """It is under way for as long as the bucket is away."""
    rows = await segments(share)
    start, end = rows[2]["start"], rows[3]["end"] - timedelta(seconds=1)
    part = await part_erasure.promise(ctx.store, share.buffer_id, start, end)
    part = await part_erasure.note_captures_ended(ctx.store, share.buffer_id, part)
    front.cut()
    with pytest.raises(StoreAway):
        await part_erasure.erase(ctx, share.buffer_id, [part])
    front.heal()
    buffers = ctx.store.rows(Buffer)
    assert [row["forget_ranges"] async for row in buffers.find({})] == [[part]]
    await part_erasure.erase(ctx, share.buffer_id, [part])
    assert [row["forget_ranges"] async for row in buffers.find({})] == [[]]
    assert await left(ctx) == [0, 4]


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
