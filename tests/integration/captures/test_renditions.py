"""Clips in other formats: what is shown and no more, made once, charged, gone with the clip."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from app.access import quota
from app.captures import capture_expiry, capture_limits, rendition_execution, renditions
from app.captures.rendition_request import RenditionRequest
from app.captures.slots import Slots
from app.clips import clip_expiry, clip_invariants, clip_renditions, library, quota_check
from app.context import Context
from app.errors import Conflict, Invalid, NotPermitted, QuotaExceeded, TooManyCaptures
from app.models import RenditionRow
from app.models.schema import File, Rendition
from app.settings import Settings
from app.work.places import Stint, WorkPlaces
from tests.integration.captures.checking import Done, accepted, captured, files, tools_of
from tests.integration.captures.conftest import ADA, ADMIN, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.conftest import MakeSettings
from tests.media_factory import MediaFactory, Recording, Shape, number_in
from tests.waiting import wait_for

MOST_STEPS = 80


@pytest.fixture(scope="session")
def numbered(factory: MediaFactory) -> Recording:
    """20 s of pictures that carry their number."""
    return factory.record(Shape(numbered=True, size=(320, 180), frames=300))


@pytest.fixture(scope="session")
def large(factory: MediaFactory) -> Recording:
    """4 s of pictures that fit no format."""
    return factory.record(Shape(numbered=True, size=(1920, 1200), frames=60))


async def asked(ctx: Context, made: Done, **given: object) -> RenditionRow:
    request = RenditionRequest.model_validate({"format": "gif"} | given)
    _, row = await renditions.accept(ctx, ADA, made.capture["clip_id"], request)
    return row


async def work_on(ctx: Context, rendition_id: str) -> None:
    """What a worker does with the job of a rendition."""
    await rendition_execution.run(ctx, tools_of(ctx), rendition_id)


async def leases_end(ctx: Context) -> None:
    """What 20 seconds without a heartbeat do."""
    await ctx.store.rows(Rendition).update_many(
        {"lease_until": {"$ne": None}},
        {"$set": {"lease_until": datetime.now(UTC) - timedelta(seconds=1)}},
    )
    await rendition_execution.requeue_due(ctx)


async def settled(ctx: Context) -> list[RenditionRow]:
    """The renditions that are left once the workers have done all that is to do."""
    rows = ctx.store.rows(Rendition)
    while left := await rows.find({"lease_until": {"$ne": None}}).to_list(None):
        await leases_end(ctx)
        for row in left:
            await work_on(ctx, row["_id"])
    return await rows.find({"status": {"$ne": "cancelled"}}).to_list(None)


async def ready(ctx: Context, made: Done, **given: object) -> tuple[RenditionRow, Path]:
    """A rendition that was made, and its file."""
    row = await asked(ctx, made, **given)
    await work_on(ctx, row["_id"])
    found = await ctx.store.rows(Rendition).find_one({"_id": row["_id"]})
    assert found is not None
    assert found["status"] == "ready", found["detail"]
    return found, ctx.settings.media_root / found["storage_path"]


async def held(ctx: Context) -> tuple[int, int]:
    found = await quota.read(ctx.store, ctx.settings, "ada")
    return found.used_bytes, found.reserved_bytes


async def sound_library(ctx: Context) -> None:
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    assert [each.detail async for each in clip_invariants.violations(ctx, later)] == []
    assert await quota_check.differences(ctx) == {}


def pictures(path: Path) -> list[tuple[float, int, tuple[int, int]]]:
    """When each picture of a file is shown, what it is numbered with, its size."""
    with av.open(str(path)) as container:
        return [
            (
                frame.time or 0.0,
                number_in(frame.to_ndarray(format="gray").astype(np.uint8)),
                (frame.width, frame.height),
            )
            for frame in container.decode(container.streams.video[0])
        ]


@pytest.mark.parametrize("format", ["gif", "mp4-720p"])
async def test_a_rendition_shows_the_part_that_was_asked_for_and_nothing_that_is_hidden(
    ctx: Context, ended_share: MakeShare, numbered: Recording, format: str
) -> None:
    await ended_share("ada", (numbered, 0.0))
    made = await captured(ctx, ADA, last=9.3)
    assert made.clip is not None
    assert made.path is not None
    assert made.clip["hidden_head_seconds"] > 0
    first = next(number for at, number, _ in pictures(made.path) if at > -1 / 30)
    for start, end in ((0.0, 2.0), (2.5, 7.1)):
        row, path = await ready(ctx, made, format=format, start=start, end=end)
        shown = pictures(path)
        assert {size for _, _, size in shown} == {(320, 180)}
        rate = 10 if format == "gif" else 15
        assert len(shown) == pytest.approx((end - start) * rate, abs=2)
        for at, number, _ in shown:
            assert number - first == pytest.approx((start + at) * 15, abs=1.6), (start, at)
        assert row["size_bytes"] == path.stat().st_size
    await sound_library(ctx)


@pytest.mark.parametrize(
    ("format", "size"), [("gif", (480, 300)), ("webp", (480, 300)), ("mp4-720p", (1152, 720))]
)
async def test_a_large_picture_is_made_to_fit(
    ctx: Context, ended_share: MakeShare, large: Recording, format: str, size: tuple[int, int]
) -> None:
    await ended_share("ada", (large, 0.0))
    made = await captured(ctx, ADA, last=3)
    row, path = await ready(ctx, made, format=format, end=1)
    if format == "webp":  # libav reads none that moves
        head = path.read_bytes()[:64]
        canvas = head.index(b"VP8X") + 12
        edges = [int.from_bytes(head[at : at + 3], "little") + 1 for at in (canvas, canvas + 3)]
        assert tuple(edges) == size
    else:
        assert {each for _, _, each in pictures(path)} == {size}
    file = await ctx.store.rows(File).find_one({"_id": row["_id"]})
    assert file is not None
    assert file["checksum"] == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    media_type = {"gif": "image/gif", "webp": "image/webp"}.get(format, "video/mp4")
    assert file["mime"] == media_type
    assert Path(file["filename"]).suffix == path.suffix


async def test_the_same_is_made_once_and_tried_anew_where_it_failed(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=6)
    assert made.path is not None
    row = await asked(ctx, made, end=2)
    assert (await asked(ctx, made, end="2s"))["_id"] == row["_id"]
    assert (await asked(ctx, made, end=3))["_id"] != row["_id"]
    await settled(ctx)
    assert (await asked(ctx, made, end=2))["_id"] == row["_id"]
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:200])
    failed = await asked(ctx, made, end=1)
    await settled(ctx)
    found = await ctx.store.rows(Rendition).find_one({"_id": failed["_id"]})
    assert found is not None
    assert (found["status"], found["reason"]) == ("failed", "ffmpeg-failed")
    made.path.write_bytes(whole)
    again = await asked(ctx, made, end=1)
    assert again["_id"] != failed["_id"]
    assert {each["status"] for each in await settled(ctx)} == {"ready"}
    await sound_library(ctx)


async def test_what_cannot_be_had_is_refused(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=19)
    for wrong in ({"end": 16}, {"start": 18.99}, {"start": 5, "end": 5}):
        with pytest.raises(Invalid):
            await asked(ctx, made, **wrong)
    whole = await asked(ctx, made)
    assert (whole["start_seconds"], whole["end_seconds"]) == (0.0, 15.0)
    request = RenditionRequest.model_validate({"format": "gif"})
    with pytest.raises(NotPermitted):
        await renditions.accept(ctx, ADMIN, made.capture["clip_id"], request)
    over = {"$set": {"status": "failed", "lease_until": None}}
    for number in range(1, clip_renditions.MOST):
        await asked(ctx, made, end=number / 2)
        await ctx.store.rows(Rendition).update_many({}, over)  # so that not too many are pending
    with pytest.raises(Conflict):
        await asked(ctx, made, end=14)
    await quota.set_limit(ctx.store, "ada", 1)
    await clip_renditions.withdraw(ctx, whole)
    with pytest.raises(QuotaExceeded):
        await asked(ctx, made, end=14)
    assert await ctx.store.rows(Rendition).count_documents({"status": "accepting"}) == 0


class TestLimits:
    """A rendition counts as a capture."""

    @pytest.fixture
    def settings(self, make_settings: MakeSettings) -> Settings:
        return make_settings(captures_per_minute=3, captures_pending_per_user=2)

    async def test_renditions_and_captures_count_together(
        self, ctx: Context, ended_share: MakeShare
    ) -> None:
        await ended_share()
        made = await captured(ctx, ADA, last=6)
        await asked(ctx, made, end=1)
        await asked(ctx, made, end=2)
        with pytest.raises(TooManyCaptures, match="3 captures of 'ada' are not finished"):
            await accepted(ctx, ADA, last=5)
        await settled(ctx)
        with pytest.raises(TooManyCaptures, match="3 captures in 60 s"):
            await asked(ctx, made, end=3)
        with pytest.raises(TooManyCaptures, match="3 captures in 60 s"):
            await accepted(ctx, ADA, last=5)

    async def test_what_was_deleted_counts_until_it_would_count_no_longer(
        self, ctx: Context, ended_share: MakeShare
    ) -> None:
        await ended_share()
        made = await captured(ctx, ADA, last=6)
        for _ in range(2):
            await clip_renditions.withdraw(ctx, await asked(ctx, made, end=1))
            assert await settled(ctx) == []
        with pytest.raises(TooManyCaptures, match="3 captures in 60 s"):
            await asked(ctx, made, end=1)
        rows = ctx.store.rows(Rendition)
        await capture_expiry.forget_captures(ctx)
        assert await rows.count_documents({}) == 2
        ago = datetime.now(UTC) - capture_limits.LONGEST_PERIOD
        await rows.update_many({}, {"$set": {"accepted_at": ago}})
        await capture_expiry.forget_captures(ctx)
        assert await rows.count_documents({}) == 0


async def test_a_rendition_is_charged_and_goes_with_its_clip(
    ctx: Context, ended_share: MakeShare
) -> None:
    """With the quota that it takes, at once; a clip that is restored has none."""
    await ended_share()
    made = await captured(ctx, ADA, last=6)
    assert made.file is not None
    size_bytes = made.file["size_bytes"]
    row, _ = await ready(ctx, made, end=2)
    assert row["size_bytes"]
    assert await held(ctx) == (size_bytes + row["size_bytes"], 0)
    await asked(ctx, made, end=3)  # one that is on its way
    await clip_renditions.withdraw_all(ctx, made.capture["clip_id"])  # a sweep that comes too late
    assert len(await clip_renditions.of_clip(ctx, made.capture["clip_id"])) == 2
    await library.delete(ctx, ADA, made.capture["clip_id"])
    assert await held(ctx) == (0, 0)
    await library.restore(ctx, ADA, made.capture["clip_id"])
    assert await settled(ctx) == []
    assert len(files(ctx)) == 1
    assert await held(ctx) == (size_bytes, 0)
    await asked(ctx, made, end=2)
    await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)
    await clip_expiry.sweep_clips(ctx)
    assert await settled(ctx) == []
    assert files(ctx) == []
    assert await held(ctx) == (0, 0)
    await sound_library(ctx)


async def test_a_rendition_that_is_larger_than_was_reckoned_is_made_only_where_there_is_room(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=6)
    assert made.file is not None
    used_bytes = made.file["size_bytes"]
    row = await asked(ctx, made, end=1)
    await quota.give_back(ctx.store, "ada", row["_id"])
    await quota.reserve(ctx.store, ctx.settings, "ada", row["_id"], 100)
    await quota.set_limit(ctx.store, "ada", used_bytes + 150)
    (failed,) = await settled(ctx)
    assert (failed["status"], failed["reason"]) == ("failed", "quota-exceeded")
    assert await held(ctx) == (used_bytes, 0)
    assert len(files(ctx)) == 1
    await quota.set_limit(ctx.store, "ada", None)
    await ready(ctx, made, end=1)
    await sound_library(ctx)


async def test_a_rendition_that_is_accepted_while_its_clip_goes_goes_too(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=6)
    row = await asked(ctx, made, end=2)
    accepting = {"status": "accepting", "lease": "accepting"}
    await ctx.store.rows(Rendition).update_one({"_id": row["_id"]}, {"$set": accepting})
    await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)
    await clip_expiry.sweep_clips(ctx)
    queued = {"status": "queued", "lease": None}
    await ctx.store.rows(Rendition).update_one({"_id": row["_id"]}, {"$set": queued})
    assert await settled(ctx) == []
    assert files(ctx) == []
    assert await held(ctx) == (0, 0)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.heavy)])
async def test_a_worker_killed_at_any_step_leaves_one_rendition_in_the_end(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    """`every`: how many steps further each kill is."""
    await ended_share()
    made = await captured(ctx, ADA, last=4)
    assert made.file is not None
    for step in range(0, MOST_STEPS, every):
        row = await asked(ctx, made, end=0.5)
        killed = await worker.act("rendition", row["_id"], die_at=step)
        (found,) = await settled(ctx)
        assert found["status"] == "ready", (step, found["detail"])
        assert found["size_bytes"], step
        assert len(files(ctx)) == 2, (step, files(ctx))
        assert await held(ctx) == (made.file["size_bytes"] + found["size_bytes"], 0), step
        await clip_renditions.withdraw(ctx, found)
        removal_killed = await worker.act("rendition", row["_id"], die_at=step)
        assert await settled(ctx) == []
        assert len(files(ctx)) == 1, (step, files(ctx))
        assert await held(ctx) == (made.file["size_bytes"], 0), step
        await sound_library(ctx)
        if not killed:
            break
    assert not killed
    assert not removal_killed
    assert step > 8


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.heavy)])
async def test_an_acceptance_killed_at_any_step_becomes_a_rendition_or_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    """`every`: how many steps further each kill is."""
    await ended_share()
    made = await captured(ctx, ADA, last=4)
    assert made.file is not None
    for step in range(0, MOST_STEPS, every):
        given = {"format": "gif", "end": 0.5}
        killed = await worker.act("convert", "ada", made.capture["clip_id"], given, die_at=step)
        for found in await settled(ctx):
            assert found["status"] == "ready", step
            await clip_renditions.withdraw(ctx, found)
        assert await settled(ctx) == []
        assert await held(ctx) == (made.file["size_bytes"], 0), step
        if not killed:
            break
    assert not killed
    assert step > 5


class TestInBucket:
    """Where clips are in an object store, renditions are there, too."""

    @pytest.fixture
    def settings(self, make_settings: MakeSettings, in_bucket: dict[str, str]) -> Settings:
        return make_settings(**in_bucket)

    async def test_a_rendition_is_put_beside_its_clip_and_nothing_stays_on_the_disk(
        self, ctx: Context, ended_share: MakeShare
    ) -> None:
        await ended_share()
        made = await captured(ctx, ADA, last=4)
        row = await asked(ctx, made, end=0.5)
        await work_on(ctx, row["_id"])
        (found,) = await settled(ctx)
        assert found["status"] == "ready", found["detail"]
        assert files(ctx) == []
        sizes = await ctx.clips.sizes([found["storage_path"]])
        assert sizes[found["storage_path"]] == found["size_bytes"]
        await sound_library(ctx)
        await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)
        await clip_expiry.sweep_clips(ctx)
        assert await settled(ctx) == []
        assert [each async for listed in ctx.clips.listed("replays") for each in listed] == []

    async def test_a_clip_is_fetched_in_the_turn_of_its_rendition_and_no_sooner(
        self, ctx: Context, ended_share: MakeShare
    ) -> None:
        """However many wait, only as many lie on the disk as are made at the same time."""
        await ended_share()
        row = await asked(ctx, await captured(ctx, ADA, last=4), end=0.5)
        slots = replace(Slots.of(ctx.settings), short=WorkPlaces(1, 0.0))
        waits = asyncio.Event()

        async def keep_others_waiting(stint: Stint) -> None:
            running.set()
            await wait_for(lambda: not stint.may_go_on(0.0), what="somebody else")
            waits.set()
            await go_on.wait()

        running, go_on = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(slots.short.piece("bob", "bob's").run(keep_others_waiting))
            await running.wait()
            tasks.create_task(rendition_execution.run(ctx, tools_of(ctx, slots), row["_id"]))
            await waits.wait()
            there = files(ctx)
            go_on.set()
        assert there == []
        (found,) = await settled(ctx)
        assert (found["status"], found["attempts"]) == ("ready", 1), found["detail"]
