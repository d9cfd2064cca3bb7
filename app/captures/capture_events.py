"""Tells EVENTS_URL, and the one who asked, how captures ended; the sharer, that there is a clip.

Each occasion has a key, so telling it again after an interruption changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from app.context import Context
from app.errors import QuotaExceeded
from app.events import outbox
from app.events.contents import (
    CaptureFailedContent,
    CaptureReadyContent,
    EventContent,
    QuotaExceededContent,
    ScreenCapturedContent,
)
from app.models import CaptureResult, CaptureRow, instants


class _About(TypedDict):
    """What all events of a capture say."""

    capture_id: str
    buffer_id: str
    community: str
    shared_by: str
    title: str
    moment_id: str | None


async def ready(ctx: Context, row: CaptureRow, result: CaptureResult) -> None:
    """The capture has become a clip: its caller hears of it, and the sharer, if that is another."""
    content = CaptureReadyContent(
        **_about(row),
        clip_id=row["clip_id"],
        file_id=result["file_id"],
        duration=round(result["told"]["duration_seconds"], 3),
    )
    await _tell(ctx, content, row["_id"], row)
    if row["identity"] != row["caller"]:
        shown = ScreenCapturedContent(
            buffer_id=row["buffer_id"],
            community=row["community"],
            clip_id=row["clip_id"],
            captured_by=row["caller"],
            start=instants.written(result["told"]["delivered_start"]),
            end=instants.written(result["told"]["delivered_end"]),
        )
        await _tell(ctx, shown, row["_id"], row, about=row["identity"])


async def failed(ctx: Context, row: CaptureRow) -> None:
    """The capture can't be made."""
    why = {"reason": row["reason"] or "", "detail": row["detail"]}
    content = CaptureFailedContent(**_about(row), **why)
    await _tell(ctx, content, row["_id"], row)


async def quota_exceeded(ctx: Context, row: CaptureRow, error: QuotaExceeded) -> None:
    """A capture was refused for want of quota: told once an hour, however often it is tried."""
    hour = f"{datetime.now(UTC):%Y%m%dT%H}"
    name = outbox.person(row["caller"])
    content = QuotaExceededContent.model_validate({**_about(row), **error.extra})
    await _tell(ctx, content, f"{name}:{hour}", row)


def _about(row: CaptureRow) -> _About:
    return {
        "capture_id": row["_id"],
        "buffer_id": row["buffer_id"],
        "community": row["community"],
        "shared_by": row["identity"],
        "title": row["title"],
        "moment_id": row["moment_id"],
    }


async def _tell(
    ctx: Context, content: EventContent, key: str, row: CaptureRow, *, about: str | None = None
) -> None:
    """`about`: whom it is about, default: the caller."""
    whom = row["caller"] if about is None else about
    await outbox.tell_of(ctx, content, key, row, identity=whom)
