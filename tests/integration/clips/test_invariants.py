"""app.clips.clip_invariants: nothing to say of a sound library, a word for each wrong thing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from app.access import quota
from app.captures import acceptance
from app.captures.requests import CaptureRequest
from app.clips import clip_invariants, library
from app.clips.clip_location import parts_path
from app.context import Context
from app.models.schema import File, UserReplayQuota
from tests.integration.captures.checking import Done, captured
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.clips.rows import charge


@pytest_asyncio.fixture
async def clip(ctx: Context, ended_share: MakeShare) -> AsyncIterator[Done]:
    """A clip, beside one that is deleted and a capture that is queued."""
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    deleted = await captured(ctx, ADA, last=3)
    await library.delete(ctx, ADA, deleted.capture["clip_id"])
    await acceptance.accept(ctx, ADA, CaptureRequest(room="room", last=2))
    assert await found(ctx) == []
    yield made


async def found(ctx: Context) -> list[str]:
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    return [each.detail async for each in clip_invariants.violations(ctx, later)]


async def test_a_file_that_is_lost_or_of_another_size_is_named(ctx: Context, clip: Done) -> None:
    assert clip.path is not None
    os.truncate(clip.path, 10)
    assert ["has 10 bytes" in each for each in await found(ctx)] == [True]
    clip.path.unlink()
    assert ["is gone" in each for each in await found(ctx)] == [True]
    await ctx.store.rows(File).delete_one({"resource_id": clip.capture["clip_id"]})
    assert ["no file's row" in each for each in await found(ctx)] == [True]


async def test_files_of_no_clip_are_named_once_they_are_old(ctx: Context, clip: Done) -> None:
    assert clip.path is not None
    for name in ("stray.mp4", "stray.mp4.1.part"):
        path = clip.path.with_name(name)
        path.write_bytes(b"x")
    assert len(await found(ctx)) == 2
    now = datetime.now(UTC)
    assert [each async for each in clip_invariants.violations(ctx, now)] == []


async def test_drift_of_quotas_is_named(ctx: Context, clip: Done) -> None:
    clip_id = clip.capture["clip_id"]
    await quota.give_back(ctx.store, "ada", clip_id)
    assert ["is charged with None" in each for each in await found(ctx)] == [True]
    assert clip.file is not None
    await charge(ctx, "ada", clip_id, clip.file["size_bytes"])
    await quota.reserve(ctx.store, ctx.settings, "ada", "unknown", 5)
    assert ["for clip unknown" in each for each in await found(ctx)] == [True]
    await quota.give_back(ctx.store, "ada", "unknown")
    await ctx.store.rows(UserReplayQuota).update_one({"_id": "ada"}, {"$inc": {"used_bytes": 1}})
    assert ["other sums" in each for each in await found(ctx)] == [True]


async def test_what_is_being_made_is_no_violation(ctx: Context, clip: Done) -> None:
    row = await acceptance.accept(ctx, ADA, CaptureRequest(room="room", last=2))
    assert clip.path is not None
    final = ctx.settings.media_root / parts_path(row)
    final.with_name(f"{final.name}.1.part").write_bytes(b"x")
    assert await found(ctx) == []


async def test_a_deleted_clip_that_is_still_charged_is_named(ctx: Context, clip: Done) -> None:
    clip_id = clip.capture["clip_id"]
    assert clip.file is not None
    await library.delete(ctx, ADA, clip_id)
    await quota.give_back(ctx.store, "ada", clip_id)
    await charge(ctx, "ada", clip_id, clip.file["size_bytes"])
    later = datetime.now(UTC) + timedelta(minutes=10)
    told = [each.detail async for each in clip_invariants.violations(ctx, later)]
    assert ["is deleted and still charged" in each for each in told] == [True]
