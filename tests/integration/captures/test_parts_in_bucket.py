"""Parts of clips in a bucket: trims are copied there, for renditions a part is fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.access import quota
from app.captures import rendition_encoding, rendition_execution
from app.captures.ffmpeg_process import Effort
from app.clips import clip_expiry, library, play_time
from app.context import Context
from app.models.schema import Capture, File, Rendition
from app.settings import Settings
from app.storage import clip_files
from app.storage.clip_bucket import ClipBucket
from app.storage.composed_upload import PIECE_BYTES
from tests.integration.captures import test_renditions
from tests.integration.captures.checking import (
    Done,
    captured,
    done,
    files,
    go_on,
    pictures_shown,
    tools_of,
    work_on,
)
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.captures.test_clips_in_bucket import (
    MOST_STEPS,
    bytes_of,
    kept,
    kill_at,
    violations,
)
from tests.integration.captures.test_trimming import NUMBERED, asked, numbers, trimmed
from tests.integration.conftest import MakeSettings
from tests.integration.storage.test_clip_store import read
from tests.media_factory import MediaFactory, Recording
from tests.object_front import ObjectFront
from tests.stuffed_movie import stuff

COPIES = "x-amz-copy-source"
PICTURE_BYTES = 100_000
"""Of filler in each picture: 15 a second."""
START, END = 1.5, 9.4


@pytest.fixture
def settings(
    make_settings: MakeSettings, in_bucket: dict[str, str], front: ObjectFront
) -> Settings:
    """Of an installation whose clips are in a bucket behind the front."""
    return make_settings(**in_bucket | {"s3_endpoint": front.endpoint})


@pytest.fixture(scope="session")
def numbered(factory: MediaFactory) -> Recording:
    """20 s of pictures that carry their number."""
    return factory.record(NUMBERED)


async def large(ctx: Context, path: Path, last: float = 10) -> Done:
    """A clip of 10 s and some 15 MiB, or more, in the bucket, and a copy of it in `path`."""
    made = await captured(ctx, ADA, last=last)
    assert made.clip is not None
    assert made.file is not None
    path.write_bytes(await bytes_of(ctx, made))
    stuff(path, play_time.begin(made.clip), PICTURE_BYTES)
    part = clip_files.part_path(ctx.clips.parts_root, made.file["storage_path"], 1)
    part.write_bytes(path.read_bytes())
    await ctx.clips.publish(made.file["storage_path"], part)
    size_bytes = path.stat().st_size
    told = {"size_bytes": size_bytes, "checksum": f"sha256:{clip_files.sha256(path)}"}
    await ctx.store.rows(File).update_one({"_id": made.file["_id"]}, {"$set": told})
    charged = ctx.store, "ada", made.clip["_id"]
    await quota.give_back(*charged)
    await quota.reserve(ctx.store, ctx.settings, *charged[1:], size_bytes)
    await quota.settle(*charged, size_bytes)
    return await done(ctx, made.capture["_id"])


async def check(
    ctx: Context,
    whole: Path,
    found: Done,
    copy: Path,
    *,
    end: float = END,
    seen: Callable[[Path], Sequence[object]] = pictures_shown,
) -> None:
    """The trim shows what was asked for, and nothing else is there. `seen`: what a file shows."""
    assert found.capture["status"] == "ready", found.capture["detail"]
    assert found.file is not None
    copy.write_bytes(await bytes_of(ctx, found))
    shown, every = seen(copy), seen(whole)
    first = every.index(shown[0])
    assert first / 15 == pytest.approx(START, abs=0.1)
    assert shown == every[first : first + len(shown)]
    assert len(shown) / 15 == pytest.approx(end - START, abs=0.2)
    assert found.file["checksum"] == f"sha256:{clip_files.sha256(copy)}"
    assert found.file["size_bytes"] == copy.stat().st_size
    assert files(ctx) == []
    assert await violations(ctx) == []


async def test_a_trim_is_copied_in_the_bucket_and_its_ends_alone_are_sent(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, tmp_path: Path
) -> None:
    await ended_share()
    whole = tmp_path / "whole.mp4"
    made = await large(ctx, whole)
    front.seen.clear()
    front.sent_bytes = front.answered_bytes = 0
    found = await trimmed(ctx, made, start=START, end=END)
    assert found.file is not None
    copied = front.count(COPIES)
    assert copied >= 1
    size_bytes = found.file["size_bytes"]
    assert front.sent_bytes < size_bytes - copied * PIECE_BYTES + 65_536
    # Its checksum is read once it is ready.
    assert front.answered_bytes < 2 * size_bytes - copied * PIECE_BYTES + 1_000_000
    await check(ctx, whole, found, tmp_path / "trim.mp4")


@pytest.mark.heavy
async def test_of_an_exact_trim_all_but_the_groups_that_are_encoded_is_copied(
    ctx: Context, ended_share: MakeShare, numbered: Recording, front: ObjectFront, tmp_path: Path
) -> None:
    await ended_share("ada", (numbered, 0.0))
    whole = tmp_path / "whole.mp4"
    made = await large(ctx, whole, last=18)
    front.seen.clear()
    front.sent_bytes = 0
    found = await trimmed(ctx, made, start=START, end=16.4, cut="exact")
    assert found.file is not None
    copied = front.count(COPIES)
    assert copied >= 2
    assert front.sent_bytes < found.file["size_bytes"] - copied * PIECE_BYTES + 65_536
    await check(ctx, whole, found, tmp_path / "trim.mp4", end=16.4, seen=numbers)


@pytest.mark.heavy
async def test_a_store_that_does_not_copy_gives_the_same_trim(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, tmp_path: Path
) -> None:
    await ended_share()
    whole = tmp_path / "whole.mp4"
    made = await large(ctx, whole)
    front.answer(COPIES, 400, "InvalidRequest")
    await check(ctx, whole, await trimmed(ctx, made, start=START, end=END), tmp_path / "trim.mp4")


@pytest.mark.heavy
async def test_a_trim_whose_clip_goes_before_it_is_copied_leaves_nothing(
    ctx: Context, ended_share: MakeShare, front: ObjectFront, tmp_path: Path
) -> None:
    await ended_share()
    made = await large(ctx, tmp_path / "whole.mp4")
    row = await asked(ctx, made, start=START, end=END)
    front.answer(COPIES, 503, "SlowDown")
    await work_on(ctx, row["_id"])
    waiting = (await done(ctx, row["_id"])).capture
    assert waiting["stage"] == "waiting for storage"
    assert waiting["result"] is not None
    front.heal()
    await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)
    await clip_expiry.sweep_clips(ctx)
    ended = (await go_on(ctx, row["_id"])).capture
    assert (ended["status"], ended["reason"]) == ("failed", "media-deleted")
    assert files(ctx) == []
    assert await kept(ctx) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("part", [(0.0, 0.7), (6.0, 6.4)])
async def test_a_rendition_is_made_of_the_part_that_is_fetched(
    ctx: Context,
    ended_share: MakeShare,
    front: ObjectFront,
    tmp_path: Path,
    part: tuple[float, float],
) -> None:
    """The same as of the whole clip."""
    await ended_share()
    whole = tmp_path / "whole.mp4"
    made = await large(ctx, whole)
    assert made.clip is not None
    start, end = part
    row = await test_renditions.asked(ctx, made, start=start, end=end)
    front.answered_bytes = 0
    await rendition_execution.run(ctx, tools_of(ctx), row["_id"])
    assert front.answered_bytes < 0.7 * whole.stat().st_size
    found = await ctx.store.rows(Rendition).find_one({"_id": row["_id"]})
    assert found is not None
    assert found["status"] == "ready", found["detail"]
    same = tmp_path / "same.gif"
    effort = Effort(is_short=True)
    await rendition_encoding.encode(row, [made.clip], [whole], same, effort, lambda _: None)
    opened = await ctx.clips.open(found["storage_path"])
    assert await read(opened) == same.read_bytes()
    assert files(ctx) == []


@pytest.mark.heavy
@pytest.mark.parametrize("passed_on", [False, True])
async def test_a_worker_killed_at_a_request_of_a_trim_leaves_one_clip(
    ctx: Context,
    ended_share: MakeShare,
    front: ObjectFront,
    worker: Mortal,
    tmp_path: Path,
    passed_on: bool,
) -> None:
    """Before it, and while it is answered; at every third one, since each moves the whole trim."""
    await ended_share()
    whole = tmp_path / "whole.mp4"
    made = await large(ctx, whole)
    for step in range(1 if passed_on else 0, MOST_STEPS, 3):
        row = await asked(ctx, made, start=START, end=END)
        kill_at(front, worker, step, passed_on=passed_on)
        killed = await worker.act("capture", row["_id"])
        front.heal()
        found = await go_on(ctx, row["_id"])
        await check(ctx, whole, found, tmp_path / "trim.mp4")
        assert found.file is not None
        assert isinstance(ctx.clips, ClipBucket)
        assert ctx.clips.s3 is not None
        assert await ctx.clips.s3.uploads(f"replay/clips/{found.file['storage_path']}") == []
        assert len(await kept(ctx)) == 2
        await library.delete(ctx, ADA, row["clip_id"], purge=True)
        await clip_expiry.sweep_clips(ctx)
        if not killed:
            break
    assert not killed
    assert step >= 8
    assert await ctx.store.rows(Capture).count_documents({"lease_until": {"$ne": None}}) == 0
