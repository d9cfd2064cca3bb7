"""What a killed worker leaves in Redis stands in nobody's way for long."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from itertools import pairwise

from arq.constants import in_progress_key_prefix

from app.context import Context
from app.work import errands
from app.work.jobs import Busy
from tests.integration.queued import queued, redis_of
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
