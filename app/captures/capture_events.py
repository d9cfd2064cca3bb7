"""Tells EVENTS_URL, and the one who asked, how captures ended.

Each occasion has a key, so telling it again after an interruption changes nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from app.context import Context
from app.errors import QuotaExceeded
from app.events import outbox
from app.models import CaptureResult, CaptureRow


async def ready(ctx: Context, row: CaptureRow, result: CaptureResult) -> None:
    """The capture has become a clip."""
    data = {
        "clip_id": row["clip_id"],
        "file_id": result["file_id"],
        "duration": round(result["told"]["duration_seconds"], 3),
    }
    await _tell(ctx, outbox.CAPTURE_READY, row["_id"], row, data)


async def failed(ctx: Context, row: CaptureRow) -> None:
    """The capture can't be made."""
    data = {"reason": row["reason"], "detail": row["detail"]}
    await _tell(ctx, outbox.CAPTURE_FAILED, row["_id"], row, data)


async def quota_exceeded(ctx: Context, row: CaptureRow, error: QuotaExceeded) -> None:
    """A capture was refused for want of quota: told once an hour, however often it is tried."""
    hour = f"{datetime.now(UTC):%Y%m%dT%H}"
    name = hashlib.sha256(row["caller"].encode("utf-8", "surrogatepass")).hexdigest()[:24]
    await _tell(ctx, outbox.QUOTA_EXCEEDED, f"{name}:{hour}", row, dict(error.extra))


async def _tell(ctx: Context, event: str, key: str, row: CaptureRow, data: dict[str, Any]) -> None:
    about = {
        "capture_id": row["_id"],
        "buffer_id": row["buffer_id"],
        "community": row["community"],
        "shared_by": row["identity"],
        "title": row["title"],
    }
    await outbox.tell(
        ctx,
        event,
        key,
        room=row["room"],
        room_sid=row["room_sid"],
        identity=row["caller"],
        data=about | data,
    )
