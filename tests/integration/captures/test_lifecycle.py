"""A capture's row goes from state to state as the table says, and in no other way."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

from app.captures import lifecycle
from app.captures.lifecycle import TRANSITIONS
from app.context import Context
from app.models import CaptureStatus
from app.models.schema import Capture
from tests.integration.captures.rows import add_capture

ALLOWED = {(each.source, each.target) for each in TRANSITIONS}


async def test_every_transition_of_the_table_is_made_and_every_other_refused(ctx: Context) -> None:
    for source, target in product(CaptureStatus, CaptureStatus):
        name = f"{source}-{target}"
        await add_capture(ctx, name, status=source)
        moved = await lifecycle.move(ctx.store, name, target, {"detail": "moved"})
        row = await ctx.store.rows(Capture).find_one({"_id": name})
        assert row is not None
        if (source, target) in ALLOWED:
            assert moved == target
            assert (row["status"], row["detail"]) == (target, "moved")
        else:
            assert moved is None
            assert (row["status"], row["detail"]) == (source, "")


async def test_nothing_is_moved_that_does_not_match(ctx: Context) -> None:
    await add_capture(ctx, "mine", status=CaptureStatus.QUEUED, lease="me")
    fields = {"finished_at": datetime.now(UTC)}
    failed = CaptureStatus.FAILED
    assert await lifecycle.move(ctx.store, "mine", failed, fields, lease="another") is None
    assert await lifecycle.move(ctx.store, "another", failed, fields) is None
    assert await lifecycle.move(ctx.store, "mine", failed, fields, lease="me") is not None


async def test_only_what_is_being_accepted_is_dropped(ctx: Context) -> None:
    for status in CaptureStatus:
        await add_capture(ctx, status, status=status)
        await lifecycle.drop(ctx.store, status)
    left = {row["_id"] async for row in ctx.store.rows(Capture).find({}, {"_id": 1})}
    assert left == set(CaptureStatus) - {CaptureStatus.ACCEPTING}
