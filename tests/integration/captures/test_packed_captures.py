"""Captures of media that is packed in the bucket of clips: put together there, hardly sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.buffer import packs
from app.captures import result_pins
from app.cleaning import pack_removal
from app.cleaning.removal import remove
from app.clips import clip_expiry, library
from app.context import Context
from app.models.schema import Pack, Pin, Segment
from app.settings import Settings
from app.storage.clip_bucket import ClipBucket
from app.storage.clip_places import clip_bucket
from app.storage.pack_places import PACK_BYTES
from app.storage.shared_folder import SharedFolder
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.buffer.far_shares import FarShare, begin_far_share
from tests.integration.buffer.packing import is_packed, pack_all, packs_of
from tests.integration.buffer.shares import indexing
from tests.integration.captures.checking import (
    Done,
    accepted,
    captured,
    done,
    files,
    go_on,
    work_on,
)
from tests.integration.captures.conftest import ADA, end_share
from tests.integration.captures.mortal import Mortal
from tests.integration.captures.test_clips_in_bucket import (
    MOST_STEPS,
    bytes_of,
    kill_at,
    violations,
)
from tests.integration.conftest import MakeSettings
from tests.media_factory import Recording
from tests.object_front import ObjectFront
from tests.rows import PartOfRow
from tests.stuffed_recording import stuffed
from tests.waiting import wait_for

COPIES = "x-amz-copy-source"
PICTURE_BYTES = 70_000
"""Of filler in each of 15 pictures a second."""


@pytest.fixture
def settings(make_settings: MakeSettings, both_behind_front: dict[str, str]) -> Settings:
    """Nothing is too old before a slow machine has done with it."""
    return make_settings(**both_behind_front, retention_minutes=120)


@pytest.fixture(scope="session")
def large(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """20 s in 10 segments, 21 MB."""
    return stuffed(recording, tmp_path_factory.mktemp("stuffed") / "large", PICTURE_BYTES)


MakePacked = Callable[[], Awaitable[FarShare]]


@pytest.fixture
def packed_share(
    ctx: Context, far_buffer: dict[str, str], seaweed: Seaweed, large: Recording
) -> MakePacked:
    """A share of ada's that is over, indexed to its end, and packed as far as it can be."""

    async def make() -> FarShare:
        bucket = Bucket(far_buffer, seaweed.endpoint)
        start = datetime.now(UTC) - timedelta(seconds=60)
        share = await begin_far_share(ctx, bucket, "ada", start, large, role=None)
        share.commit(len(large.segments))
        share.egress.end()
        await share.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC))
        async with indexing(ctx):
            await share.read_to_the_end()
            await wait_for(lambda: is_packed(ctx, share.session_id))
        await end_share(ctx, share.buffer_id)
        return share

    return make


async def kept(ctx: Context) -> set[str]:
    """The packs that are in the bucket."""
    assert ctx.packs is not None
    return set(await ctx.packs.listed("packs"))


async def told(ctx: Context) -> set[str]:
    """Those that rows tell of."""
    return {packs.storage_path(row) for row in await packs_of(ctx)}


def sent_from_disk(ctx: Context) -> Context:
    """The same installation, if egress wrote in its folder: there clips are sent whole."""
    return replace(ctx, egress=SharedFolder(ctx.settings.media_root))


async def test_a_clip_is_put_together_of_packs_and_is_the_one_that_is_sent_whole(
    ctx: Context, packed_share: MakePacked, front: ObjectFront
) -> None:
    await packed_share()
    rows = await packs_of(ctx)
    assert len(rows) >= 3
    assert await kept(ctx) == await told(ctx)
    sent = await captured(sent_from_disk(ctx), ADA, last=17)
    front.seen.clear()
    front.sent_bytes = front.answered_bytes = 0
    made = await captured(ctx, ADA, last=17)
    copied = front.count(COPIES)
    assert copied >= len(rows) - 1
    assert made.file is not None, made.capture["detail"]
    assert front.sent_bytes < made.file["size_bytes"] - copied * PACK_BYTES + 65_536
    assert front.answered_bytes < 65_536
    await check_same(ctx, made, sent)


@pytest.mark.heavy
@pytest.mark.parametrize("why", ["gone", "another", "not copied", "not complete"])
async def test_where_packs_are_not_copied_the_same_clip_is_sent_from_the_disk(
    ctx: Context, packed_share: MakePacked, front: ObjectFront, why: str
) -> None:
    await packed_share()
    sent = await captured(sent_from_disk(ctx), ADA, last=17)
    assert ctx.packs is not None
    if why == "gone":
        await ctx.packs.remove(await kept(ctx))
    elif why == "another":
        for path in await kept(ctx):
            await ctx.packs.put(path, bytes(PACK_BYTES))
    else:
        lines = COPIES if why == "not copied" else "^POST .*uploadId="
        front.answer(lines, 400, "InvalidRequest")
        # What is put whole is in parts, too.
        front.before = lambda: (
            front.heal() if front.count(lines) and front.count(r"DELETE .*uploadId=") else None
        )
    made = await captured(ctx, ADA, last=17)
    await check_same(ctx, made, sent)


@pytest.mark.heavy
@pytest.mark.parametrize("lines", [COPIES, ""])
async def test_a_clip_that_waits_for_its_bucket_needs_neither_packs_nor_fragments_any_more(
    ctx: Context, packed_share: MakePacked, front: ObjectFront, lines: str
) -> None:
    share = await packed_share()
    sent = await captured(sent_from_disk(ctx), ADA, last=17)
    front.answer(lines, 503, "SlowDown")
    row = await accepted(ctx, ADA, last=17)
    place = ctx.settings.clips_place
    assert place is not None
    unasked = clip_bucket(ctx.settings, place, ctx.instance)  # as after a start
    await work_on(replace(ctx, clips=unasked), row["_id"])
    waiting = (await done(ctx, row["_id"])).capture
    assert waiting["stage"] == "waiting for storage"
    kept_until = await ctx.store.rows(Pin).distinct("until", {"owner": row["_id"]})
    assert kept_until == [waiting["wait_until"] + result_pins.LIFE], "before it had its result"
    front.heal()
    await remove(ctx, await ctx.store.rows(Segment).find({}).to_list(None), in_spite_of_pins=True)
    assert await pack_removal.sweep(ctx)
    assert await kept(ctx) == set()
    assert share.files("*.m4s") == []
    made = await go_on(ctx, row["_id"])
    assert made.capture["status"] == "ready", made.capture["detail"]
    assert await bytes_of(ctx, made) == await bytes_of(ctx, sent)
    assert files(ctx) == []


@pytest.mark.heavy
@pytest.mark.parametrize("passed_on", [False, True])
async def test_a_worker_killed_at_a_request_leaves_one_clip_that_is_put_together(
    ctx: Context, packed_share: MakePacked, front: ObjectFront, worker: Mortal, passed_on: bool
) -> None:
    await packed_share()
    sent = await captured(sent_from_disk(ctx), ADA, last=17)
    expected = await bytes_of(ctx, sent)
    for step in range(1 if passed_on else 0, MOST_STEPS, 2):
        row = await accepted(ctx, ADA, last=17)
        kill_at(front, worker, step, passed_on=passed_on)
        killed = await worker.act("capture", row["_id"])
        front.heal()
        made = await go_on(ctx, row["_id"])
        assert made.capture["status"] == "ready", (step, made.capture["detail"])
        assert await bytes_of(ctx, made) == expected, step
        assert made.file is not None
        assert isinstance(ctx.clips, ClipBucket)
        assert ctx.clips.s3 is not None
        assert await ctx.clips.s3.uploads(f"replay/clips/{made.file['storage_path']}") == []
        assert files(ctx) == [], step
        await library.delete(ctx, ADA, row["clip_id"], purge=True)
        await clip_expiry.sweep_clips(ctx)
        if not killed:
            break
    assert not killed
    assert step >= 6


@pytest.mark.heavy
@pytest.mark.parametrize("at", ["step", "request", "answer"])
async def test_who_packs_may_be_killed_at_any_step_and_no_object_is_left_that_no_row_tells_of(
    ctx: Context, packed_share: MakePacked, front: ObjectFront, worker: Mortal, at: str
) -> None:
    share = await packed_share()
    segments = await share.rows()
    for step in range(MOST_STEPS):
        await packs.condemn(ctx.store, segments)
        assert await pack_removal.sweep(ctx)
        assert await kept(ctx) == set()
        if at != "step":
            kill_at(front, worker, step, passed_on=at == "answer")
        killed = await worker.act("pack", share.session_id, die_at=step if at == "step" else None)
        front.heal()
        await check_packs(ctx, segments)
        assert await kept(ctx) <= await told(ctx)
        later = datetime.now(UTC) - 2 * pack_removal.WRITING_LASTS
        await ctx.store.rows(Pack).update_many({}, {"$set": {"created_at": later}})
        assert await pack_removal.sweep(ctx)
        await pack_all(ctx, share.session_id)
        await check_packs(ctx, segments)
        assert await kept(ctx) == await told(ctx)
        if not killed:
            break
    assert not killed
    assert step >= 3


async def check_same(ctx: Context, made: Done, sent: Done) -> None:
    """One clip is ready and is the other one, and nothing is left of making it."""
    assert made.capture["status"] == "ready", made.capture["detail"]
    assert made.file is not None
    assert sent.file is not None
    assert await bytes_of(ctx, made) == await bytes_of(ctx, sent)
    assert made.file["checksum"] == sent.file["checksum"]
    assert files(ctx) == []
    assert await violations(ctx) == []


async def check_packs(ctx: Context, segments: list[PartOfRow]) -> None:
    """What is written has the media of its fragments."""
    by_sequence = {row["sequence"]: row for row in segments}
    for row in await packs_of(ctx):
        if row["state"] != "written":
            continue
        opened = await ctx.clips.open(packs.storage_path(row))
        assert opened.tag == row["tag"]
        content = b"".join([block async for block in opened.read(0, opened.size_bytes)])
        assert len(content) == sum(each["length"] for each in row["fragments"])
        for each in row["fragments"]:
            found = by_sequence[each["sequence"]]
            (path,) = ctx.settings.media_root.glob(f"fragments/*/*/*/{found['name']}")
            media = path.read_bytes()[found["payload_offset"] :]
            assert content[each["offset"] : each["offset"] + each["length"]] == media
