"""The real worker process: makes captures by itself, and is replaced when it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from app.context import Context
from app.models.schema import NotedRules
from tests.integration.captures.checking import (
    accepted,
    check_whole,
    done,
    files,
    live_share,
    reaches,
)
from tests.integration.captures.conftest import ADA, MakeShare, end_share
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET
from tests.media_factory import Recording
from tests.pace import Pace
from tests.waiting import wait_for

TAKEN_UP_SECONDS = 30.0


@asynccontextmanager
async def worker(ctx: Context) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m app worker` on the stores of the test; killed at the end of the block."""
    environment = os.environ | {
        "LIVEKIT_URL": ctx.settings.livekit_url,
        "LIVEKIT_API_KEY": LIVEKIT_API_KEY,
        "LIVEKIT_API_SECRET": LIVEKIT_API_SECRET,
        "MONGO_URL": ctx.settings.mongo_url,
        "REDIS_URL": ctx.settings.redis_url,
        "DATA_DIR": str(ctx.settings.data_dir),
        "FREE_SPACE_MIN_BYTES": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "worker", env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
        assert process.returncode is None, "the worker ended by itself"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_a_worker_notes_by_which_rules_it_runs(ctx: Context) -> None:
    """So that one that starts with others ends what these gave."""
    async with worker(ctx):
        await wait_for(ctx.store.rows(NotedRules).find_one, what="the rules are noted")


async def test_a_worker_makes_what_is_accepted(ctx: Context, ended_share: MakeShare) -> None:
    [share] = await ended_share()
    async with worker(ctx):
        rows = [await accepted(ctx, ADA, last=last) for last in (3, 7, 20)]
        for row in rows:
            await reaches(ctx, row["_id"], "ready")
            check_whole(await done(ctx, row["_id"]), share)


async def test_a_killed_workers_capture_is_taken_up_in_time(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=9, segments=4) as share:
        row = await accepted(ctx, ADA, last=5, post_roll=20)
        async with worker(ctx):
            await reaches(ctx, row["_id"], "waiting")
        with Pace() as pace:
            async with worker(ctx):
                share.commit(6)
                share.egress.end()
                await share.change(status="EGRESS_COMPLETE", role=None, ended_at=datetime.now(UTC))
                await end_share(ctx, share.buffer_id)
                made = await reaches(ctx, row["_id"], "ready")
        assert pace.fair_seconds < TAKEN_UP_SECONDS
    assert made.capture["attempts"] == 2
    assert len(files(ctx)) == 1
