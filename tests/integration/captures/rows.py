"""Rows of captures that nobody makes: for whatever only reads rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.context import Context
from app.models import CaptureStatus
from app.models.schema import Capture

NOW = datetime.now(UTC)


async def add_capture(ctx: Context, name: str, **given: Any) -> None:
    times = ("requested_start", "requested_end", "window_start", "window_end", "wait_until")
    accepted = {"accepted_at": NOW - timedelta(days=8)} | dict.fromkeys(times, NOW)
    whose = {"caller": "ada", "room": "room", "room_sid": "RM", "identity": "ada"}
    fields: dict[str, Any] = {"clip_id": f"clip-{name}", "buffer_id": "b"} | whose | accepted
    fields["status"] = CaptureStatus.QUEUED
    assert await ctx.store.create(Capture(id=name, **(fields | given)))
