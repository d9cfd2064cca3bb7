"""Which recurring jobs are late, as machines and the doctor are told."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.condition import doctor, health
from app.context import Context
from app.errors import Unavailable
from app.work import rounds, schedule, timetable
from app.work.jobs import Job, Jobs, job, minutes, seconds
from app.worker import _steady
from tests.integration.queued import empty_redis
from tests.waiting import wait_for

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@job("often", every=seconds(20), timeout=seconds(30))
async def often(_ctx: Context) -> None:
    """Has nothing to do."""


@job("seldom", every=minutes(60), timeout=seconds(30))
async def seldom(_ctx: Context) -> None:
    """Has nothing to do."""


def after(**passed: float) -> datetime:
    return NOW + timedelta(**passed)


async def late(ctx: Context, now: datetime) -> list[str]:
    return [each.name for each in await ctx.queue.timetable().late(now)]


async def test_a_job_is_late_after_three_periods_without_a_whole_round(ctx: Context) -> None:
    """Counted from its last whole one; of a job that is new, from when it was first to recur."""
    table = ctx.queue.timetable()
    assert await late(ctx, NOW) == []
    await table.publish([often, seldom], ctx.settings, NOW)
    assert await late(ctx, after(seconds=60)) == []
    assert await late(ctx, after(seconds=61)) == ["often"]
    await table.publish([often, seldom], ctx.settings, after(seconds=61))
    assert await late(ctx, after(seconds=61)) == ["often"]
    await table.whole("often", after(seconds=50))
    assert await late(ctx, after(seconds=110)) == []
    (told, other) = await table.late(after(hours=4))
    assert str(told) == "often is due every 20 s, and had its last whole round 14350 s ago"
    assert other.name == "seldom"


async def test_a_job_that_is_no_more_is_not_waited_for(ctx: Context) -> None:
    """Nor is one forgotten that Redis has lost: the schedule writes it down again."""
    table = ctx.queue.timetable()
    await table.publish([often, seldom], ctx.settings, NOW)
    await table.publish([seldom], ctx.settings, NOW)
    assert await late(ctx, after(hours=1)) == []
    await empty_redis(ctx)
    await table.publish([often], ctx.settings, NOW)
    assert await late(ctx, after(hours=1)) == ["often"]


@pytest.mark.parametrize(
    ("every", "timeout", "patience"), [(20, 60, 60), (300, 90, 900), (5, 90, 90)]
)
def test_a_round_may_take_as_long_as_its_time_limit(
    every: float, timeout: float, patience: float
) -> None:
    assert timetable.patience(seconds(every), seconds(timeout)) == seconds(patience)


async def test_whatever_the_schedule_asks_for_is_in_the_timetable(ctx: Context) -> None:
    """A new job can't be left out: there is one table."""
    jobs = Jobs(partial(often, ctx), partial(seldom, ctx))
    asking = asyncio.create_task(schedule.keep_asking(ctx.queue, ctx.settings, jobs.recurring()))
    try:

        async def written() -> bool:
            return await late(ctx, datetime.now(UTC) + timedelta(days=1)) == ["often", "seldom"]

        await wait_for(written)
    finally:
        asking.cancel()


@pytest.mark.parametrize(
    ("fails", "is_late"),
    [((), False), (("a",), False), (("a", "b"), True), (("round",), True)],
)
async def test_a_round_counts_unless_everything_in_it_failed(
    ctx: Context, fails: tuple[str, ...], is_late: bool
) -> None:
    """What the worker notes: one bad room is no outage, and all of them are."""

    @job("often", every=seconds(20), timeout=seconds(30))
    async def look() -> None:
        for room in ("a", "b"):
            with rounds.item(room=room):
                assert room not in fails
        if "round" in fails:
            raise Unavailable("LiveKit does not answer")

    await ctx.queue.timetable().publish([look], ctx.settings, NOW)
    await _steady(ctx.queue, look, partial(look))({})
    assert await late(ctx, datetime.now(UTC)) == (["often"] if is_late else [])


async def test_machines_and_the_doctor_are_told(ctx: Context) -> None:
    """Which job, how late it is, where to look."""
    jobs: list[Job[..., None]] = [often, seldom]
    now = datetime.now(UTC)
    await ctx.queue.timetable().publish(jobs, ctx.settings, now - timedelta(seconds=100))
    told = (await health.Readiness(ctx).read())["jobs"]
    assert re.match(
        r"often is due every 20 s, and had its last whole round 1\d\d s ago: look", told
    )
    found = {each.name: each async for each in doctor.examine(ctx.settings, at_a_glance=True)}
    assert found["jobs"].level == "fail"
    assert "often is due every 20 s" in found["jobs"].detail
    assert "item_failed" in found["jobs"].advice
    await ctx.queue.timetable().whole("often", now)
    assert (await health.Readiness(ctx).read())["jobs"] == "ok"
