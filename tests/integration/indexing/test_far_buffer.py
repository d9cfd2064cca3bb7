"""From what egress uploads into a bucket to rows and fragments here, and nothing else there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cleaning import erasure, strays
from app.cleaning.removal import folders_by_session
from app.context import Context, opened
from app.indexing.look_times import PACE_SECONDS
from app.settings import Settings
from app.storage.foreign import SEGMENT_BYTES
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.buffer.far_shares import FarShare, begin_far_share
from tests.integration.buffer.shares import indexing
from tests.integration.conftest import MakeSettings
from tests.integration.indexing.test_hostile_folder import MEMORY_BYTES, peak_bytes
from tests.integration.indexing.test_indexer import assert_continuous
from tests.integration.indexing.test_killed import ROOT
from tests.media_factory import Recording
from tests.object_front import ObjectFront
from tests.waiting import wait_for

FETCH, DELETE = r"^GET .*\.ts", r"\?delete"
LOOK = r"^GET .*/live\.m3u8"
PLAYLISTS = ["full.m3u8", "live.m3u8"]
BeginFarShare = Callable[..., Awaitable[FarShare]]


@pytest.fixture
def settings(
    make_settings: MakeSettings, far_buffer: dict[str, str], front: ObjectFront
) -> Settings:
    """Of an installation that reaches its bucket through the front."""
    return make_settings(**far_buffer | {"s3_endpoint": front.endpoint})


@pytest.fixture
def bucket(far_buffer: dict[str, str], seaweed: Seaweed) -> Bucket:
    """The bucket as egress reaches it."""
    return Bucket(far_buffer, seaweed.endpoint)


@pytest.fixture
def share(ctx: Context, bucket: Bucket, recording: Recording) -> BeginFarShare:
    """Begins a share whose egress uploads."""

    async def begin(name: str = "ann", **given: object) -> FarShare:
        start = datetime.now(UTC) - timedelta(seconds=60)
        return await begin_far_share(ctx, bucket, name, start, recording, **given)

    return begin


async def test_each_named_segment_becomes_a_fragment_and_its_object_goes(
    ctx: Context, share: BeginFarShare, bucket: Bucket
) -> None:
    bucket.put("of-somebody-else/live.m3u8", b"#EXTM3U\n")
    far = await share()
    unnamed = f"{far.folder}/segment_unnamed.ts"
    bucket.put(unnamed, b"media")
    async with indexing(ctx):
        far.commit(8)  # more than the live playlist has: the others are read in full.m3u8
        rows = await far.indexed(8)
        far.commit(2)
        rows = await far.indexed(10)
    assert [row["sequence"] for row in rows] == list(range(10))
    assert {row["state"] for row in rows} == {"indexed"}
    assert_continuous(rows)
    assert sorted(path.name for path in far.fragments.glob("*.m4s")) == [r["name"] for r in rows]
    assert not (ctx.settings.media_root / "replay-buffer").exists()
    assert sorted(far.uploaded()) == [*PLAYLISTS, "segment_unnamed.ts"]
    assert "of-somebody-else/live.m3u8" in bucket.listed()


async def test_what_a_session_leaves_goes_with_it(
    ctx: Context, share: BeginFarShare, bucket: Bucket
) -> None:
    far, other = await share("ann"), await share("bob")
    async with indexing(ctx):
        far.commit(2)
        other.commit(1)
        await far.indexed(2)
        await other.indexed(1)
        bucket.put(f"{far.folder}/strange/ä ö.ts", b"whatever")
        await far.change(ended_at=datetime.now(UTC), role=None, status="EGRESS_COMPLETE")
        far.egress.end()
        await far.read_to_the_end()
    await erasure.promise(ctx.store, far.buffer_id, datetime.now(UTC))
    assert await erasure.erase(ctx, far.buffer_id)
    assert far.uploaded() == []
    assert sorted(other.uploaded()) == PLAYLISTS
    bucket.put(f"{far.folder}/late.ts", b"of a session that nobody knows any more")
    later = datetime.now(UTC) + timedelta(hours=2)
    assert (await strays.settle(ctx, later)).removed == 1
    assert far.uploaded() == []
    assert sorted(other.uploaded()) == PLAYLISTS


async def test_what_egress_left_on_our_disk_before_it_had_a_bucket_goes_with_its_session(
    ctx: Context, share: BeginFarShare
) -> None:
    """Of a session that is forgotten, and of one that nobody knows any more, whatever it is."""
    far, other = await share("ann"), await share("bob")
    left, kept = [await left_on_disk(ctx, each) for each in (far, other)]
    stray = left.with_name(f"{ctx.instance}-{'0' * 24}")
    stray.mkdir()
    (stray / "segment_0.ts").write_bytes(b"media")
    await far.change(ended_at=datetime.now(UTC), role=None, indexing=None)
    await erasure.promise(ctx.store, far.buffer_id, datetime.now(UTC))
    assert await erasure.erase(ctx, far.buffer_id)
    assert not left.exists()
    later = datetime.now(UTC) + timedelta(hours=2)
    # Of a session that goes on a playlist and what it may name stay.
    assert (await strays.settle(ctx, later)).removed == 2
    assert list(stray.iterdir()) == []
    assert sorted(path.name for path in kept.iterdir()) == ["live.m3u8", "segment_0.ts"]


async def test_a_segment_that_was_put_aside_on_our_disk_goes_with_its_row(
    ctx: Context, share: BeginFarShare
) -> None:
    far = await share()
    left = await left_on_disk(ctx, far)
    (folders,) = (await folders_by_session(ctx, [far.session_id])).values()
    await asyncio.to_thread(folders.remove, "segment_1.ts.bad")
    assert sorted(path.name for path in left.iterdir()) == ["live.m3u8", "segment_0.ts"]


async def left_on_disk(ctx: Context, far: FarShare) -> Path:
    """The folder on the media root of a session that began there, with what may be left in it."""
    folder = ctx.settings.media_root / str((await far.session())["folder"])
    folder.mkdir(parents=True)
    for name in ("live.m3u8", "segment_0.ts", "segment_1.ts.bad"):
        (folder / name).write_bytes(b"media")
    return folder


async def further_looks(front: ObjectFront) -> None:
    """Waits until the playlist was looked at twice more."""
    before = front.count(LOOK)
    await wait_for(lambda: front.count(LOOK) > before + 1)


async def test_a_look_costs_one_request_and_a_segment_two_more(
    ctx: Context, share: BeginFarShare, front: ObjectFront
) -> None:
    """A playlist is asked for at a pace, and what has not changed is not sent again."""
    far = await share(segment_seconds=1)
    async with indexing(ctx):
        far.commit(2)
        await far.indexed(2)
        front.seen.clear()
        began = time.monotonic()
        for count in range(3, 9):
            far.commit(1)
            await far.indexed(count)
            await further_looks(front)
        looks = front.count(LOOK)
        took_seconds = time.monotonic() - began
    assert looks <= took_seconds / PACE_SECONDS + 1
    assert front.count(FETCH) == front.count(DELETE) == 6
    assert len(front.seen) == looks + 12, front.seen


HARM: dict[str, Callable[[ObjectFront], None]] = {
    "is away": ObjectFront.cut,
    "is overloaded": lambda front: front.answer("", 503, "SlowDown"),
    "refuses": lambda front: front.answer("", 403, "AccessDenied"),
    "does not let go of objects": lambda front: front.answer(DELETE, 503, "SlowDown"),
    "does not give segments": lambda front: front.answer(FETCH, 500, "InternalError"),
}


@pytest.mark.parametrize("kind", HARM)
async def test_a_store_that_is_back_is_gone_on_with(
    ctx: Context, share: BeginFarShare, front: ObjectFront, kind: str
) -> None:
    """Nothing is concluded meanwhile: no segment counts as missing, and none is left behind."""
    far = await share()
    with capture_logs() as logs:
        async with indexing(ctx):
            far.commit(1)
            await far.indexed(1)
            HARM[kind](front)
            far.commit(6)
            told = {"indexing_waits", "segment_not_removed_yet"}
            await wait_for(lambda: [each for each in logs if each["event"] in told])
            front.heal()
            rows = await far.indexed(7)
    assert {row["state"] for row in rows} == {"indexed"}
    assert_continuous(rows)
    assert sorted(far.uploaded()) == PLAYLISTS


async def test_a_segment_that_comes_just_after_its_line_is_no_gap(
    ctx: Context, share: BeginFarShare, front: ObjectFront
) -> None:
    far = await share()
    media, seconds = far.next_segment()
    async with indexing(ctx):
        path = far.egress.write_segment(media, seconds)
        far.bucket.delete(str(path))
        far.egress.name_segments()
        await wait_for(lambda: front.count(FETCH))
        far.bucket.put(str(path), media)
        (row,) = await far.indexed(1)
    assert row["fault"] is None


async def test_what_is_no_segment_is_a_gap_and_nothing_waits_for_it(
    ctx: Context, share: BeginFarShare
) -> None:
    """One that never came, one that is too large, one that is no media: each costs its own time."""
    far, neighbour = await share("eve"), await share("ann")
    before = peak_bytes()
    async with indexing(ctx):
        far.commit(1)
        await far.indexed(1)
        gone = far.egress.write_segment(*far.next_segment())
        far.bucket.delete(str(gone))
        large = far.egress.write_segment(*far.next_segment())
        far.bucket.put(str(large), bytes(SEGMENT_BYTES + 1))
        far.egress.write_segment(b"no media" * 100, 2.0)
        far.egress.name_segments()
        far.commit(1)
        rows = await far.indexed(5)
        neighbour.commit(1)
        await neighbour.indexed(1)
    faults = [row["fault"] for row in rows]
    assert faults[:3] == [None, "missing", "too-large"]
    assert faults[3] not in (None, "missing")
    assert faults[4] is None
    assert peak_bytes() - before < MEMORY_BYTES + SEGMENT_BYTES  # which the test itself has made


async def test_names_that_lead_elsewhere_are_refused(
    ctx: Context, share: BeginFarShare, bucket: Bucket
) -> None:
    far = await share()
    bucket.put(f"{bucket.prefix}/precious.ts", far.next_segment()[0])
    far.egress.lines.append(("../../../../../precious.ts", "2026-01-01T00:00:00Z", 2.0))
    async with indexing(ctx):
        far.commit(1)
        (row,) = await far.indexed(1)
    assert row["sequence"] == 1
    assert f"{bucket.prefix}/precious.ts" in bucket.listed()


@pytest.mark.parametrize("step", [FETCH, DELETE])
async def test_an_indexer_that_is_killed_in_between_loses_and_doubles_nothing(
    settings: Settings, bucket: Bucket, front: ObjectFront, recording: Recording, step: str
) -> None:
    async with opened(settings) as ctx:
        start = datetime.now(UTC) - timedelta(seconds=60)
        far = await begin_far_share(ctx, bucket, "ann", start, recording)
        names = ["livekit_api_key", "mongo_url", "redis_url", "data_dir", "s3_endpoint"]
        names += ["buffer_url", "aws_access_key_id"]
        environment = {name.upper(): str(getattr(settings, name)) for name in names}
        for name in ("livekit_api_secret", "aws_secret_access_key"):
            environment[name.upper()] = getattr(settings, name).get_secret_value()
        front.hold(step)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "indexer"), cwd=ROOT, env=os.environ | environment
        )
        far.commit(3)
        await wait_for(lambda: front.count(step))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        front.heal()
        await far.change(indexer_until=datetime.now(UTC) - timedelta(seconds=1))
        async with indexing(ctx):
            rows = await far.indexed(3)
        assert [row["sequence"] for row in rows] == [0, 1, 2]
        assert_continuous(rows)
        assert sorted(far.uploaded()) == PLAYLISTS
