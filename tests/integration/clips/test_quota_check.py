"""The nightly comparison of quotas with clips and files: it finds nothing, or repairs and tells."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from app.access import accounts, quota
from app.clips import library, quota_check
from app.context import Context
from app.models.schema import AuditEntry, UserReplayQuota
from tests.integration.captures.checking import accepted, captured
from tests.integration.captures.conftest import ADA, MakeShare


async def used(ctx: Context, identity: str = "ada") -> tuple[int, int]:
    found = await quota.read(ctx.store, ctx.settings, identity)
    return found.used_bytes, found.reserved_bytes


async def spoil(ctx: Context, identity: str = "ada", **fields: Any) -> None:
    await ctx.store.rows(UserReplayQuota).update_one(
        {"_id": identity}, {"$set": fields}, upsert=True
    )


async def test_what_is_right_is_left_alone_while_captures_and_clips_come_and_go(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=2)
    await captured(ctx, ADA, last=3)
    await accepted(ctx, ADA, last=4)
    assert made.clip is not None
    await library.delete(ctx, ADA, made.clip["_id"])
    before = await used(ctx)
    assert min(before) > 0
    assert await quota_check.check(ctx, 0) == []
    assert await used(ctx) == before


async def test_drift_is_repaired_logged_and_noted(ctx: Context, ended_share: MakeShare) -> None:
    """Charges of clips that are gone, missing ones, wrong sums, reservations nobody works on, a
    row that is lost."""
    await ended_share()
    made = await captured(ctx, ADA, last=2)
    assert made.clip is not None
    right = await used(ctx)
    clip_id = made.clip["_id"]
    for wrong in (
        {"charges": {clip_id: right[0], "gone": 500}, "used_bytes": right[0] + 500},
        {"charges": {}, "used_bytes": 0, "held_bytes": 0},
        {"used_bytes": 7},
        {"held_bytes": -3},
        {"reservations": {"gone": 500}, "held_bytes": right[0] + 500},
        {"charges": {clip_id: 1}},
    ):
        await spoil(ctx, **wrong)
        with capture_logs() as logs:
            (correction,) = await quota_check.check(ctx, 0)
        assert await used(ctx) == right, wrong
        assert [each["event"] for each in logs] == ["quota_repaired"]
        assert correction.drift_bytes == correction.found["used_bytes"] - right[0]
        assert await quota_check.check(ctx, 0) == []
    await ctx.store.rows(UserReplayQuota).delete_one({"_id": "ada"})
    assert len(await quota_check.check(ctx, 0)) == 1
    assert await used(ctx) == right
    entries = await ctx.store.rows(AuditEntry).find({"action": "quota_repaired"}).to_list(None)
    assert len(entries) == 7
    assert {(each["identity"], each["subject"]) for each in entries} == {("", "ada")}
    assert entries[0]["data"]["right_bytes"] == right[0]


async def test_a_difference_that_passes_is_none(ctx: Context, ended_share: MakeShare) -> None:
    """Changed since it was looked at, a row is not touched: somebody was at work."""
    await ended_share()
    await captured(ctx, ADA, last=2)
    right = await used(ctx)
    await spoil(ctx, used_bytes=1)
    first = await quota_check.differences(ctx)
    assert list(first) == ["ada"]
    await spoil(ctx, used_bytes=right[0])
    assert not await accounts.correct(ctx.store, first["ada"])
    assert await quota_check.check(ctx, 0) == []
    assert await used(ctx) == right


async def test_a_file_that_is_not_as_its_row_says_is_told_and_nothing_is_changed(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=2)
    assert made.path is not None
    right = await used(ctx)
    made.path.unlink()
    with capture_logs() as logs:
        assert await quota_check.check(ctx, 0) == []
    (told,) = logs
    assert (told["event"], told["on_disk_bytes"]) == ("clip_file_wrong", None)
    assert await used(ctx) == right
