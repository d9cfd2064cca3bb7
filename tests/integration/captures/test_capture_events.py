"""What is told of captures: once, to the one who asked, whatever is done again."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from app.access import quota
from app.captures import endings
from app.context import Context
from app.errors import QuotaExceeded
from app.models import EventRow
from app.models.schema import AuditEntry, Capture, OutgoingEvent
from tests.integration.captures.checking import accepted, captured, work_on
from tests.integration.captures.conftest import ADA, ADMIN, MakeShare


async def told(ctx: Context) -> list[EventRow]:
    return await ctx.store.rows(OutgoingEvent).find({}).sort("number", 1).to_list(None)


async def test_a_clip_is_told_to_its_owner_once(ctx: Context, ended_share: MakeShare) -> None:
    """And to the sharer, if that is another; not again when the last steps are done twice."""
    await ended_share()
    made = await captured(ctx, ADMIN, last=5, identity="ada", title="<b>")
    capture_id = made.capture["_id"]
    await ctx.store.rows(Capture).update_one(
        {"_id": capture_id}, {"$set": {"lease_until": made.capture["accepted_at"]}}
    )
    await work_on(ctx, capture_id)
    event, shown = await told(ctx)
    assert made.clip is not None
    assert made.clip["delivered_start"] is not None
    assert (shown["event"], shown["identity"], shown["room"]) == ("screen_captured", "ada", "room")
    assert shown["data"]["captured_by"] == "root"
    assert shown["data"]["clip_id"] == made.clip["_id"]
    assert datetime.fromisoformat(shown["data"]["start"]) == made.clip["delivered_start"]
    assert "title" not in shown["data"]
    assert (event["event"], event["identity"], event["room"]) == ("capture_ready", "root", "room")
    assert event["data"] == {
        "capture_id": capture_id,
        "buffer_id": made.capture["buffer_id"],
        "community": "default",
        "shared_by": "ada",
        "title": "<b>",
        "clip_id": made.clip["_id"],
        "file_id": made.clip["file_id"],
        "duration": pytest.approx(made.clip["duration_seconds"], abs=0.001),
        "moment_id": None,
    }
    (entry,) = await ctx.store.rows(AuditEntry).find({}).to_list(None)
    assert (entry["identity"], entry["action"], entry["subject"]) == (
        "root",
        "captured",
        capture_id,
    )
    assert entry["data"] == {"shared_by": "ada", "clip_id": made.clip["_id"]}


async def test_a_failure_is_told_with_its_reason_and_a_cancellation_is_not(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    cancelled = await accepted(ctx, ADA, last=2)
    await endings.cancel(ctx, ADA, cancelled["_id"])
    (share.fragments / share.files("init-*")[0]).unlink()
    made = await captured(ctx, ADA, last=2)
    (event,) = await told(ctx)
    assert (event["event"], event["identity"]) == ("capture_failed", "ada")
    assert event["_id"] == f"capture_failed:{made.capture['_id']}"
    assert event["data"]["reason"] == "segment-changed"
    assert event["data"]["detail"]


async def test_a_full_quota_is_told_with_its_numbers_once_an_hour(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    await quota.set_limit(ctx.store, "ada", 1)
    answers = await asyncio.gather(
        *(accepted(ctx, ADA, last=2) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(each, QuotaExceeded) for each in answers)
    event, *again = await told(ctx)
    assert len(again) <= 1  # the clock may strike meanwhile
    assert (event["event"], event["identity"]) == ("quota_exceeded", "ada")
    assert event["data"]["quota_bytes"] == 1
    assert event["data"]["needed_bytes"] > 1
