"""Rows of clips that have no media behind them: for whatever only reads rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.access import quota
from app.context import Context
from app.models.schema import File, ReplayClip

_SIZE_BYTES = 1000


def clip_row(name: str, **given: Any) -> ReplayClip:
    """A ready clip of ann's share in "room", owned by ann, with id `name`."""
    at = given.get("created_at", datetime.now(UTC))
    fields: dict[str, Any] = {
        "capture_id": f"capture-{name}",
        "file_id": f"file-{name}",
        "owner": "ann",
        "shared_by": "ann",
        "room": "room",
        "room_sid": "RM",
        "ready": True,
        "requested_start": at,
        "requested_end": at,
        "delivered_start": at,
        "delivered_end": at,
        "duration_seconds": 30.0,
        "created_at": at,
    }
    if (whole := given.get("trimmed_from")) is not None:
        fields["ancestors"] = [whole]
    fields["opened"] = given.get("visibility", "private") != "private"
    return ReplayClip(id=name, **(fields | given))


def file_row(clip: ReplayClip) -> File:
    """The row of the clip's file."""
    return File(
        id=clip.file_id,
        filename=f"{clip.title or clip.id}.mp4",
        size_bytes=_SIZE_BYTES,
        uploaded_by=clip.owner,
        storage_path=f"replays/{clip.id}.mp4",
        resource_id=clip.id,
        created_at=clip.created_at,
    )


async def charge(ctx: Context, identity: str, clip_id: str, size_bytes: int = _SIZE_BYTES) -> None:
    """Charges somebody with a clip, as its capture does."""
    await quota.reserve(ctx.store, ctx.settings, identity, clip_id, size_bytes)
    await quota.settle(ctx.store, identity, clip_id, size_bytes)


async def add_clip(ctx: Context, name: str, **given: Any) -> ReplayClip:
    """Stores a clip's row and its file's."""
    clip = clip_row(name, **given)
    assert await ctx.store.create(clip)
    assert await ctx.store.create(file_row(clip))
    return clip
