"""Captures are forgotten when they ended long ago, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.captures import capture_expiry
from app.clips import clip_pages
from app.clips.clip_pages import Wanted
from app.context import Context
from app.models.schema import Capture
from tests.integration.captures.conftest import ADA
from tests.integration.captures.rows import add_capture
from tests.integration.clips.rows import add_clip

NOW = datetime.now(UTC)


async def test_captures_that_are_over_for_a_week_are_forgotten_and_their_clips_stay(
    ctx: Context,
) -> None:
    week = timedelta(days=7)
    long_ago, lately = NOW - week - timedelta(minutes=1), NOW - week + timedelta(days=1)
    for status in ("ready", "failed", "cancelled"):
        await add_capture(ctx, f"old-{status}", status=status, finished_at=long_ago)
        await add_capture(ctx, f"new-{status}", status=status, finished_at=lately)
    await add_capture(ctx, "no-checksum", status="ready", finished_at=long_ago, lease_until=NOW)
    await add_capture(ctx, "running", status="running", lease_until=NOW)
    await add_clip(ctx, "clip-old-ready", owner="ada", capture_id="old-ready")
    await capture_expiry.forget_captures(ctx)
    left = {row["_id"] async for row in ctx.store.rows(Capture).find({}, {"_id": 1})}
    assert left == {"new-ready", "new-failed", "new-cancelled", "no-checksum", "running"}
    (clip,) = (await clip_pages.page(ctx, ADA, Wanted())).items
    assert clip.row["_id"] == "clip-old-ready"
