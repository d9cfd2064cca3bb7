"""How often a job runs that is asked for again and again; what a killed worker leaves in Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from arq.constants import in_progress_key_prefix

from app.context import Context
from app.work import errands
from app.work.jobs import Busy, seconds
from tests.integration.queued import empty_redis, queued, redis_of
from tests.waiting import wait_for

HOLD = """
import asyncio, sys
from arq.connections import ArqRedis
from app.work import errands
from app.work.queue import Queue

async def hold():
    async with Queue(ArqRedis.from_url(sys.argv[1])).alone(errands.DELIVER, "studio"):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def _is_free(ctx: Context) -> bool:
    try:
        async with ctx.queue.alone(errands.DELIVER, "studio"):
            return True
    except Busy:
        return False


async def test_what_a_killed_worker_was_at_is_taken_up_within_seconds(ctx: Context) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, ctx.settings.redis_url, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    assert not await _is_free(ctx)
    async with redis_of(ctx) as redis:
        (lock,) = await redis.keys("replay:lock:deliver:*")
        left_seconds = await redis.pttl(lock) / 1000
    os.kill(holder.pid, signal.SIGKILL)
    await holder.wait()
    assert left_seconds <= 10
    await wait_for(lambda: _is_free(ctx), deadline=30)


async def test_what_goes_on_for_long_is_nobody_elses_meanwhile(ctx: Context) -> None:
    """Its lock is renewed: every two seconds here."""
    async with redis_of(ctx) as redis, ctx.queue.alone(errands.DELIVER, "studio", seconds=8.0):
        (lock,) = await redis.keys("replay:lock:deliver:*")
        left = [await redis.pttl(lock)]

        async def is_renewed_twice() -> bool:
            left.append(await redis.pttl(lock))
            renewed = [after for before, after in pairwise(left) if after > before]
            return len(renewed) == 2

        await wait_for(is_renewed_twice, deadline=30)
        assert min(left) > 0
        assert not await _is_free(ctx)
    assert await _is_free(ctx)


async def test_what_a_killed_worker_had_hardly_taken_is_asked_for_anew(ctx: Context) -> None:
    """It was killed after arq had marked its job, and before the job said that it began."""
    await ctx.queue.ask(errands.DELIVER, "studio")
    async with redis_of(ctx) as redis:
        (taken,) = await redis.zrange("replay:queue", 0, -1)
        await redis.psetex(in_progress_key_prefix + taken.decode(), 600_000, b"1")
        await ctx.queue.ask(errands.DELIVER, "studio")
        (other,) = set(await redis.zrange("replay:queue", 0, -1)) - {taken}
    assert other.startswith(b"deliver:")
    await ctx.queue.ask(errands.DELIVER, "studio")
    assert await queued(ctx, "deliver") == 2


async def _due_in(ctx: Context) -> list[float]:
    """In how many seconds each job of the queue is due."""
    async with redis_of(ctx) as redis:
        jobs = await redis.zrange("replay:queue", 0, -1, withscores=True)
    return [at / 1000 - time.time() for _, at in jobs]


async def test_what_is_wanted_later_is_wanted_at_once_when_it_is_asked_for_again(
    ctx: Context,
) -> None:
    """And is one job; what others ask for is not concerned."""
    later = errands.RECONCILE.of("RM_1", "alice", after=seconds(60))
    await ctx.queue.ask_for_event("EV_1", [later])
    await ctx.queue.ask_for_event("EV_1", [later])  # the same event once more
    assert 50 < min(await _due_in(ctx)) < 61
    await ctx.queue.ask_for_event("EV_2", [later])
    (due,) = await _due_in(ctx)
    assert due <= 0


async def test_what_has_another_turn_later_begins_with_what_is_asked_for_meanwhile(
    ctx: Context,
) -> None:
    """One job, which is due at the earliest instant; nothing comes of a turn that failed."""
    again_at = datetime.now(UTC) + timedelta(minutes=1)
    async with ctx.queue.alone(errands.RECONCILE, "RM_1", "alice") as turn:
        turn.again_at = again_at
    assert 50 < min(await _due_in(ctx)) < 61
    await ctx.queue.ask(errands.RECONCILE, "RM_1", "alice", at=again_at + timedelta(minutes=1))
    assert 50 < min(await _due_in(ctx)) < 61
    await ctx.queue.ask(errands.RECONCILE, "RM_1", "alice")
    (due,) = await _due_in(ctx)
    assert due <= 0
    await empty_redis(ctx)
    with suppress(LookupError):
        async with ctx.queue.alone(errands.RECONCILE, "RM_1", "alice") as turn:
            turn.again_at = again_at
            raise LookupError
    assert await queued(ctx) == 0


async def test_what_is_asked_for_only_if_it_has_begun_before_is_else_nothing(ctx: Context) -> None:
    left = [errands.RECONCILE.of("RM_1", "alice", if_begun=True)]
    await ctx.queue.ask_for_event("EV_1", left)
    assert await queued(ctx) == 0
    async with ctx.queue.alone(errands.RECONCILE, "RM_1", "alice"):
        pass
    await ctx.queue.ask_for_event("EV_2", left)
    assert await queued(ctx) == 1


async def test_what_is_asked_for_by_two_names_begins_by_both(ctx: Context) -> None:
    """Asked for by one of them from then on, it has another turn."""
    named = errands.RECONCILE_ROOM.of("RM_1")
    await ctx.queue.ask(errands.RECONCILE_ROOM, "RM_1")
    async with ctx.queue.alone(errands.RECONCILE, "RM_1", "alice", begun=[named]):
        await ctx.queue.ask(errands.RECONCILE_ROOM, "RM_1")
    assert await queued(ctx, "reconcile_room") == 2
