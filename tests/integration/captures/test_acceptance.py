"""Accepting captures: what is promised, what is refused and why, what is asked for twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import quota
from app.access.tokens import Caller
from app.captures import acceptance, capture_access, endings
from app.captures.requests import CaptureRequest
from app.context import Context
from app.errors import (
    BufferEmpty,
    Conflict,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    ReplayError,
    TooManyCaptures,
    WindowTooLong,
)
from app.models import CaptureRow
from app.models.schema import Buffer, Capture, Pin
from tests.integration.buffer.shares import begin_share
from tests.integration.captures.checking import accepted, captured, files, nothing_is_left, work_on
from tests.integration.captures.conftest import ADA, ADMIN, BOB, MakeShare
from tests.integration.conftest import MakeSettings
from tests.integration.queued import queued
from tests.media_factory import Recording


async def test_the_window_is_pinned_and_charged_before_the_answer(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    row = await accepted(ctx, ADA, last=7)
    pins = await ctx.store.rows(Pin).find({}).to_list(None)
    assert [(pin["owner"], pin["session_id"]) for pin in pins] == [(row["_id"], share.session_id)]
    assert (pins[0]["start_ticks"], pins[0]["end_ticks"]) == (13 * 90_000, 20 * 90_000)
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert held.reserved_bytes == row["reserved_bytes"] > 0
    assert row["status"] == "queued"
    assert await queued(ctx) == 1


async def test_the_newest_share_is_taken_unless_another_is_named(
    ctx: Context, ended_share: MakeShare
) -> None:
    [older] = await ended_share(age=120.0)
    [newer] = await ended_share(age=60.0)
    for share, name in ((older, "old"), (newer, "new")):
        await ctx.store.rows(Buffer).update_one(
            {"_id": share.buffer_id}, {"$set": {"video_sid": f"TR_{name}"}}
        )
    assert (await accepted(ctx, ADA, last=5))["buffer_id"] == newer.buffer_id
    assert (await accepted(ctx, ADA, last=5, share="TR_old"))["buffer_id"] == older.buffer_id
    by_buffer = CaptureRequest(buffer=older.buffer_id, last=5)
    assert (await acceptance.accept(ctx, ADA, by_buffer))["buffer_id"] == older.buffer_id


async def test_a_share_that_goes_on_is_taken_before_one_that_is_over(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Of those that are over the last one, whichever began later: one may have gone on for long."""
    [older] = await ended_share(age=120.0)
    await ended_share(age=60.0)
    for ended_at in (datetime.now(UTC), None):
        ended = {"$set": {"ended_at": ended_at}}
        await ctx.store.rows(Buffer).update_one({"_id": older.buffer_id}, ended)
        assert (await accepted(ctx, ADA, last=5))["buffer_id"] == older.buffer_id


@pytest.mark.parametrize(
    ("caller", "asked", "error"),
    [
        (BOB, {"identity": "ada"}, NotPermitted),
        (Caller("ada", room="elsewhere"), {}, NotPermitted),
        (Caller("bob", room="room", room_admin=True), {"identity": "nobody"}, BufferEmpty),
        (ADA, {"room": "nowhere"}, BufferEmpty),
        (ADA, {"share": "TR_unknown"}, BufferEmpty),
        (ADA, {"last": 601}, WindowTooLong),
        (ADA, {"last": 86400 * 10}, WindowTooLong),
        (ADA, {"last": 1e300}, WindowTooLong),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(
    ctx: Context,
    ended_share: MakeShare,
    caller: Caller,
    asked: dict[str, Any],
    error: type[ReplayError],
) -> None:
    await ended_share()
    with pytest.raises(error):
        await accepted(ctx, caller, **({"last": 5} | asked))
    assert await ctx.store.rows(Capture).count_documents({}) == 0
    await nothing_is_left(ctx)


async def test_a_stranger_cannot_tell_a_buffer_from_none(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    told = []
    for buffer_id in (share.buffer_id, "0" * 24):
        with pytest.raises(NotFound) as raised:
            await acceptance.accept(ctx, BOB, CaptureRequest(buffer=buffer_id, last=5))
        told.append(raised.value.detail)
    assert told[0] == told[1]


async def test_an_admin_captures_for_himself(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    made = await captured(ctx, ADMIN, identity="ada", last=5)
    assert made.clip is not None
    assert (made.clip["owner"], made.clip["shared_by"]) == ("root", "ada")
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0
    assert (await quota.read(ctx.store, ctx.settings, "root")).used_bytes > 0


@pytest.mark.edge("a window longer than the buffer, an empty buffer")
async def test_an_empty_buffer_says_when_to_try_again(ctx: Context, recording: Recording) -> None:
    await begin_share(ctx, "ada", datetime.now(UTC), recording, indexing=None, role=None)
    with pytest.raises(BufferEmpty, match="nothing is recorded yet") as raised:
        await accepted(ctx, ADA, last=5)
    assert raised.value.extra["retry_after"] == 5


async def test_what_is_over_the_quota_is_refused_with_the_numbers(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    await quota.set_limit(ctx.store, "ada", 1000)
    with pytest.raises(QuotaExceeded) as raised:
        await accepted(ctx, ADA, last=5)
    assert raised.value.extra["quota_bytes"] == 1000
    await nothing_is_left(ctx)


@pytest.mark.edge("many captures, the last byte of a quota")
async def test_of_many_that_fight_over_the_last_bytes_the_sum_never_exceeds_the_quota(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    one = (await accepted(ctx, ADA, last=5))["reserved_bytes"]
    await quota.set_limit(ctx.store, "ada", 4 * one)
    answers = await asyncio.gather(
        *(accepted(ctx, ADA, last=5) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(each, dict) for each in answers) == 3
    assert all(isinstance(each, dict | QuotaExceeded) for each in answers)
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert held.reserved_bytes == 4 * one


async def test_nobody_has_more_than_so_many_captures_at_once(
    make_settings: MakeSettings, ended_share: MakeShare, ctx: Context
) -> None:
    """However many ask at the same moment; and all together no more than so many."""
    await ended_share()
    few = replace(ctx, settings=make_settings(captures_pending_per_user=4, captures_pending=10))
    answers = await asyncio.gather(
        *(accepted(few, ADA, last=1) for _ in range(9)), return_exceptions=True
    )
    taken = [each for each in answers if isinstance(each, dict)]
    assert len(taken) <= 4
    assert all(isinstance(each, dict | TooManyCaptures) for each in answers)
    while len(taken) < 4:
        taken.append(await accepted(few, ADA, last=1))
    with pytest.raises(TooManyCaptures, match="of 'ada' are not finished") as raised:
        await accepted(few, ADA, last=1)
    assert raised.value.extra == {"retry_after": 5, "limit": 4}
    await work_on(few, taken[0]["_id"])
    await accepted(few, ADA, last=1)


async def test_a_few_with_many_captures_leave_a_place_to_everybody_else(
    make_settings: MakeSettings, ended_share: MakeShare, ctx: Context
) -> None:
    """Whoever makes tokens has any number of names: each gets the fewer the fuller it is."""
    await ended_share()
    few = replace(ctx, settings=make_settings(captures_pending_per_user=4, captures_pending=10))

    async def captured(name: str) -> None:
        await accepted(few, replace(ADMIN, identity=name), last=1, identity="ada")

    for name, most in (("greedy", 4), ("greedier", 2), ("greediest", 1)):
        for _ in range(most):
            await captured(name)
        with pytest.raises(TooManyCaptures, match=f"of '{name}' are not finished"):
            await captured(name)
    for number in range(3):
        await captured(f"{number}")
    with pytest.raises(TooManyCaptures, match="11 captures are not finished"):
        await captured("late")


def retry_after(refusal: TooManyCaptures) -> float:
    seconds = refusal.extra["retry_after"]
    assert isinstance(seconds, int | float)
    return seconds


async def test_captures_are_limited_in_a_minute_and_in_an_hour(
    make_settings: MakeSettings, ended_share: MakeShare, ctx: Context
) -> None:
    """Cancelled ones count too; refused ones don't; the answer says when there is room again."""
    await ended_share()
    few = replace(ctx, settings=make_settings(captures_per_minute=2, captures_per_hour=3))
    first, second = [await accepted(few, ADA, last=1) for _ in range(2)]
    await endings.cancel(few, ADA, first["_id"])
    for _ in range(3):
        with pytest.raises(TooManyCaptures, match="2 captures in 60 s") as raised:
            await accepted(few, ADA, last=1)
        left = 60 - (datetime.now(UTC) - first["accepted_at"]).total_seconds()
        assert left <= retry_after(raised.value) <= 60
    await accepted(few, ADMIN, last=1, identity="ada")
    for row, ago in ((first, 3580), (second, 61)):
        at = {"accepted_at": datetime.now(UTC) - timedelta(seconds=ago)}
        await ctx.store.rows(Capture).update_one({"_id": row["_id"]}, {"$set": at})
    await accepted(few, ADA, last=1)
    with pytest.raises(TooManyCaptures, match="3 captures in 3600 s") as raised:
        await accepted(few, ADA, last=1)
    assert retry_after(raised.value) <= 20
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert held.reserved_bytes == 2 * second["reserved_bytes"]


async def _with_key(ctx: Context, caller: Caller, key: str, **asked: Any) -> CaptureRow:
    request = CaptureRequest.model_validate({"room": "room", "last": 5} | asked)
    return await acceptance.accept(ctx, caller, request, key)


async def test_ten_requests_with_one_key_at_once_are_one_capture(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    rows = await asyncio.gather(*(_with_key(ctx, ADA, "k") for _ in range(10)))
    assert len({row["_id"] for row in rows}) == 1
    assert all(row["status"] == "queued" for row in rows)
    assert await ctx.store.rows(Capture).count_documents({}) == 1
    await work_on(ctx, rows[0]["_id"])
    assert len(files(ctx)) == 1
    assert (await _with_key(ctx, ADA, "k"))["status"] == "ready"


async def test_a_key_with_another_request_is_a_conflict(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    await _with_key(ctx, ADA, "k")
    with pytest.raises(Conflict, match="another request"):
        await _with_key(ctx, ADA, "k", last=6)


async def test_keys_are_each_callers_own(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    mine = await _with_key(ctx, ADA, "k")
    assert (await _with_key(ctx, ADMIN, "k", identity="ada"))["_id"] != mine["_id"]


async def test_a_key_is_good_for_a_day(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    first = await _with_key(ctx, ADA, "k")
    await ctx.store.rows(Capture).update_one(
        {"_id": first["_id"]},
        {"$set": {"accepted_at": datetime.now(UTC) - timedelta(hours=24, seconds=1)}},
    )
    assert (await _with_key(ctx, ADA, "k", last=6))["_id"] != first["_id"]


async def test_a_request_that_was_refused_leaves_its_key_free(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    await quota.set_limit(ctx.store, "ada", 0)
    with pytest.raises(QuotaExceeded):
        await _with_key(ctx, ADA, "k")
    await quota.set_limit(ctx.store, "ada", None)
    assert (await _with_key(ctx, ADA, "k"))["status"] == "queued"


async def test_captures_are_their_callers_own(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    row = await accepted(ctx, ADA, last=5)
    assert (await capture_access.find(ctx, ADA, row["_id"]))["_id"] == row["_id"]
    assert (await capture_access.find(ctx, ADMIN, row["_id"]))["_id"] == row["_id"]
    for stranger in (BOB, Caller("ada", room="elsewhere")):
        with pytest.raises(NotFound):
            await capture_access.find(ctx, stranger, row["_id"])
