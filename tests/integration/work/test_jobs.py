"""The worker has a job for everything that can be asked for, and for what recurs."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from functools import partial

import pytest
from redis.exceptions import WatchError
from structlog.testing import capture_logs

from app.captures.capture_tools import CaptureTools
from app.context import Context
from app.recording.livekit import LiveKit
from app.work import errands
from app.work.jobs import Errand, Jobs, hours, job, seconds
from app.worker import _run, _worker, jobs_of
from tests.integration.conftest import MakeSettings

ASKED_FOR = {
    "reconcile", "reconcile_egress", "reconcile_room", "learn_clock", "probe", "capture",
    "clean_copy", "rendition", "deliver", "post", "forget", "attend",
    "read_rooms",
}  # fmt: skip
RECUR = {
    "survey", "reap", "cleanup", "relieve", "requeue_captures", "requeue_clean_copies",
    "requeue_renditions", "deliver_due", "sweep_clips", "sweep_thumbnails", "forget_audit",
    "forget_captures", "check_quotas", "forget_facts", "forget_shares", "take_sample",
    "go_on_with_deeds", "forget_rights", "expire_orphans",
}  # fmt: skip
ERRANDS = [each for each in vars(errands).values() if isinstance(each, Errand)]


@pytest.fixture
async def jobs(ctx: Context) -> Jobs:
    livekit = LiveKit(ctx.settings)
    await livekit.close()
    return jobs_of(ctx, livekit, CaptureTools.of(ctx.settings), asyncio.TaskGroup())


async def test_names_of_jobs_stay_as_older_versions_have_queued_them(jobs: Jobs) -> None:
    assert {job.errand.name for job, _ in jobs.given} == ASKED_FOR | RECUR
    assert {job.errand.name for job in jobs.recurring()} == RECUR
    assert {errand.name for errand in ERRANDS} == ASKED_FOR


async def test_a_job_takes_what_its_errand_says(jobs: Jobs) -> None:
    """What it is given comes first; the errand's arguments are what is left."""
    left = {
        job.errand.name: [
            each for each in inspect.signature(given).parameters.values()
            if each.default is inspect.Parameter.empty
        ]
        for job, given in jobs.given
    }  # fmt: skip
    said = (
        dict.fromkeys(RECUR, 0)
        | dict.fromkeys(ASKED_FOR, 1)
        | {"reconcile": 2, "post": 2, "read_rooms": 0}
    )
    assert {name: len(parameters) for name, parameters in left.items()} == said


async def test_periods_follow_the_settings(jobs: Jobs, make_settings: MakeSettings) -> None:
    settings = make_settings(reconcile_seconds=7, reap_minutes=3, cleanup_minutes=2)
    periods = {job.errand.name: job.period(settings) for job in jobs.recurring()}
    assert (periods["survey"], periods["reap"]) == (seconds(7), timedelta(minutes=3))
    assert (periods["cleanup"], periods["check_quotas"]) == (timedelta(minutes=2), hours(24))


async def test_what_is_no_job_or_bears_another_ones_name_is_refused(ctx: Context) -> None:
    async def undeclared() -> None:
        """Says nothing of how it runs."""

    with pytest.raises(TypeError, match=r"undeclared.* is no job: declare it with @job"):
        Jobs(partial(undeclared))
    declared = job("sweep", timeout=seconds(1))(undeclared)
    with pytest.raises(ValueError, match="one name, two jobs: sweep"):
        Jobs(partial(declared), partial(declared))
    with pytest.raises(ValueError, match="the job 'sweep' runs only when it is asked for"):
        declared.period(ctx.settings)


class Failing:
    """arq's worker as it ends when Redis is gone while it takes one job and another one begins."""

    async def async_run(self) -> None:
        raise WatchError("a connection error occurred while watching one or more keys")

    async def close(self) -> None:
        """Cancels its jobs, and waits for them all at once."""
        job = asyncio.create_task(asyncio.Event().wait())
        job.cancel()
        await asyncio.gather(job)


async def test_what_ends_the_queues_worker_ends_its_process() -> None:
    """Else it would run on without a job and seem to be well: its pulse and its schedule go on."""
    with pytest.raises(ExceptionGroup) as ended:
        async with asyncio.TaskGroup() as group:
            group.create_task(_run(Failing()))
    assert ended.group_contains(WatchError)


async def test_a_job_that_takes_too_long_is_told_in_one_line(
    ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    slow = Errand[()]("slow")

    @job(slow, timeout=seconds(0.05))
    async def wait() -> None:
        """Has no end."""
        await asyncio.Event().wait()

    await ctx.queue.ask(slow)
    worker = _worker(ctx, Jobs(partial(wait)))
    worker.burst = True
    with capture_logs() as told:
        await worker.async_run()
        await worker.close()
    (line,) = told
    assert (line["event"], line["job"]) == ("job_failed", "slow")
    assert line["error"] == "it took longer than 0.05 s"
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
