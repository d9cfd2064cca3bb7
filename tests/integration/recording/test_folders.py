"""A session's folder that can't be made: the share says so, and is tried again."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from app.buffer import paths, session_folders
from app.buffer.session_folders import OUTER_MODE
from app.condition.machine import media_root
from app.context import Context
from app.models import BufferRow, Why, schema
from app.recording import recorder
from app.storage.shared_folder import SharedFolder
from tests.integration.recording.listed import ListedLiveKit


async def buffer_of(ctx: Context) -> BufferRow:
    row = await ctx.store.rows(schema.Buffer).find_one({})
    assert row is not None
    return row


async def a_share_begins(ctx: Context) -> None:
    whose: dict[str, Any] = {
        "room": "room",
        "room_sid": "RM",
        "identity": "ann",
        "participant_sid": "PA",
    }
    published_at = datetime.now(UTC) - timedelta(minutes=1)
    await ctx.store.create(schema.Track(sid="TR", video=True, published_at=published_at, **whose))


async def test_a_folder_that_cannot_be_made_is_told_and_tried_again(ctx: Context) -> None:
    """A file in its way stands for a share that is mounted read-only, squashed or full."""
    await a_share_begins(ctx)
    outer = ctx.settings.media_root / paths.BUFFER_ROOT
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
    at_once = {"$set": {"retry_at": datetime.now(UTC)}}
    await ctx.store.rows(schema.Buffer).update_one({"_id": buffer["_id"]}, at_once)
    await recorder.reconcile(ctx, livekit, "RM", "ann")
    (request,) = livekit.started
    assert request.video_sid == "TR"


async def test_nothing_is_recorded_below_the_mount_point_of_a_disk_that_is_away(
    ctx: Context,
) -> None:
    await a_share_begins(ctx)
    root = ctx.settings.media_root
    root.rename(root.with_name("away"))
    root.mkdir()
    livekit = ListedLiveKit()
    await recorder.reconcile(ctx, livekit, "RM", "ann")
    buffer = await buffer_of(ctx)
    assert buffer["why"] == Why.EGRESS_FAILED
    assert "its disk is not mounted" in buffer["why_detail"]
    assert not livekit.started
    assert [*root.iterdir()] == []


async def test_what_somebody_else_made_where_a_room_goes_stops_no_recording(ctx: Context) -> None:
    """Egress, taken over while it could write there: the names of rooms' folders can be told."""
    await a_share_begins(ctx)
    rooms = ctx.settings.media_root / paths.BUFFER_ROOT
    room = rooms / paths.folder_name("room")
    rooms.mkdir(mode=0o770)
    room.touch()  # a folder of another user is one that nobody but root can make
    livekit = ListedLiveKit()
    with capture_logs() as logs:
        await recorder.reconcile(ctx, livekit, "RM", "ann")
    assert len(livekit.started) == 1
    (told,) = (each for each in logs if each["event"] == "folder_put_aside")
    assert Path(told["now"]).is_file()
    assert room.is_dir()
    assert stat.S_IMODE(rooms.stat().st_mode) == OUTER_MODE
    found = media_root(ctx.settings)
    assert (found.level, told["now"] in found.detail) == ("warn", True)


def test_a_worker_lets_nobody_write_among_the_rooms_from_its_start(tmp_path: Path) -> None:
    """Whatever mode the folder was given before; one that is not there is made."""
    session_folders.close_outer(SharedFolder(tmp_path))
    rooms = tmp_path / paths.BUFFER_ROOT
    rooms.chmod(0o2770)
    session_folders.close_outer(SharedFolder(tmp_path))
    assert stat.S_IMODE(rooms.stat().st_mode) == OUTER_MODE
