"""A session's folder that can't be made: the share says so, and is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.buffer import paths
from app.context import Context
from app.models import BufferRow, Why, schema
from app.recording import recorder
from tests.integration.recording.listed import ListedLiveKit


async def buffer_of(ctx: Context) -> BufferRow:
    row = await ctx.store.rows(schema.Buffer).find_one({})
    assert row is not None
    return row


async def test_a_folder_that_cannot_be_made_is_told_and_tried_again(ctx: Context) -> None:
    """A file in its way stands for a share that is mounted read-only, squashed or full."""
    now = datetime.now(UTC)
    whose: dict[str, Any] = {
        "room": "room",
        "room_sid": "RM",
        "identity": "ann",
        "participant_sid": "PA",
    }
    track = schema.Track(sid="TR", video=True, published_at=now - timedelta(minutes=1), **whose)
    await ctx.store.create(track)
    outer = ctx.settings.media_root / paths.session_folder("room", "ann", "s").parent
    outer.parent.mkdir(parents=True)
    outer.touch()
    livekit = ListedLiveKit()
    await recorder.reconcile(ctx, livekit, "RM", "ann")
    buffer = await buffer_of(ctx)
    assert buffer["why"] == Why.EGRESS_FAILED
    assert buffer["failures"] > 0
    assert str(outer.relative_to(ctx.settings.media_root)) in buffer["why_detail"]
    assert "can't be made" in buffer["why_detail"]
    assert not livekit.started

    outer.unlink()
    at_once = {"$set": {"retry_at": now}}
    await ctx.store.rows(schema.Buffer).update_one({"_id": buffer["_id"]}, at_once)
    await recorder.reconcile(ctx, livekit, "RM", "ann")
    (request,) = livekit.started
    assert request.video_sid == "TR"
