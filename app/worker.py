"""The worker process: runs the queue's jobs and asks for those that recur."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from arq import Retry, Worker, func
from pymongo.errors import PyMongoError
from redis.asyncio.retry import Retry as RedisRetry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app import context, metrics, models
from app.access import audit
from app.captures import capture_expiry, execution, share_erasure
from app.cleaning import cleanup, governor
from app.clips import clip_expiry, clip_thumbnails, quota_check
from app.condition import exposition, health, history
from app.context import Context
from app.errors import Unavailable
from app.events import sender
from app.recording import facts, open_shares, reaper, recorder, survey
from app.recording.fact_expiry import forget_facts as forget_old_facts
from app.recording.livekit import LiveKit, clock_of
from app.settings import Settings
from app.work import queue, schedule

log = structlog.get_logger()

Jobs = dict[str, Any]
# Shares that start at the same moment each hold a job for as long as LiveKit takes.
MAX_JOBS = 256
RECONCILE_SECONDS = 90
# Egress may fill what is left of a disk within seconds; looking costs one statvfs.
RELIEVE_SECONDS = 10.0
# An exact cut of ten minutes is encoded for up to 22 minutes of CPU time at 1080p60.
CAPTURE_SECONDS = 3600
_BUSY_AGAIN_SECONDS = 0.3
_TRANSIENT_AGAIN_SECONDS = 2.0
_MAX_TRIES = 1000
# About a minute without Redis; then the process ends, and the supervisor starts it again.
_REDIS_RETRIES = 60


async def reconcile(state: Jobs, room_sid: str, identity: str) -> None:
    try:
        await recorder.reconcile(state["ctx"], state["livekit"], room_sid, identity)
    except recorder.Busy:
        raise Retry(defer=_BUSY_AGAIN_SECONDS) from None


async def reconcile_room(state: Jobs, room_sid: str) -> None:
    ctx: Context = state["ctx"]
    for identity in {who for who, _ in await open_shares.shares(ctx.store, room_sid)}:
        await ctx.queue.reconcile(room_sid, identity)


async def learn_clock(state: Jobs, session_id: str) -> None:
    ctx: Context = state["ctx"]
    row = await ctx.store.rows(models.EgressSession).find_one({"_id": session_id})
    if row is None or row["egress_id"] is None:
        return
    info = await state["livekit"].egress(row["egress_id"])
    if info is not None and clock_of(info) is not None:
        await facts.egress(ctx.store, info, row["created_at"])


async def run_survey(state: Jobs) -> None:
    await survey.survey(state["ctx"], state["livekit"])


async def deliver(state: Jobs, room: str) -> None:
    await sender.deliver(state["ctx"], state["livekit"].say, room)


async def deliver_due(state: Jobs) -> None:
    await sender.deliver_due(state["ctx"])


async def run_reap(state: Jobs) -> None:
    await reaper.reap(state["ctx"], state["livekit"])


async def relieve(state: Jobs) -> None:
    await governor.relieve(state["ctx"])


async def run_cleanup(state: Jobs) -> None:
    await cleanup.run(state["ctx"])


async def capture(state: Jobs, capture_id: str) -> None:
    # Its row's lease tells who works on it, and for how long; to arq, which would leave every
    # job of a killed worker alone for as long as the longest may take, it is done.
    group: asyncio.TaskGroup = state["captures"]
    group.create_task(execution.run(state["ctx"], capture_id))


async def requeue_captures(state: Jobs) -> None:
    await execution.requeue_expired(state["ctx"])


async def sweep_clips(state: Jobs) -> None:
    await clip_expiry.sweep_clips(state["ctx"])


async def sweep_thumbnails(state: Jobs) -> None:
    await clip_thumbnails.sweep(state["ctx"])


async def forget_audit(state: Jobs) -> None:
    ctx: Context = state["ctx"]
    await audit.forget_old(ctx.store, ctx.settings)


async def forget_captures(state: Jobs) -> None:
    await capture_expiry.forget_captures(state["ctx"])


async def check_quotas(state: Jobs) -> None:
    await quota_check.check(state["ctx"])


async def forget_facts(state: Jobs) -> None:
    await forget_old_facts(state["ctx"].store)


async def take_sample(state: Jobs) -> None:
    sampler: history.Sampler = state["sampler"]
    await sampler.take()


async def forget(state: Jobs, buffer_id: str) -> None:
    await share_erasure.go_on(state["ctx"], buffer_id)


async def forget_marked(state: Jobs) -> None:
    await share_erasure.go_on_with_all(state["ctx"])


def _steady(name: str, job: Callable[..., Awaitable[None]], recurs: bool) -> Callable[..., Any]:
    """The job, unimpressed by a store or a LiveKit that is away.

    arq itself repeats no failure: what was asked for is tried again, what recurs has another turn.
    """

    async def run(state: Jobs, *args: Any) -> None:
        try:
            await job(state, *args)
        except (Unavailable, PyMongoError, RedisError, ConnectionError) as error:
            metrics.ERRORS.labels("job_interrupted").inc()
            log.warning("job_interrupted", job=name, again=not recurs, error=str(error)[:300])
            if not recurs:
                raise Retry(defer=_TRANSIENT_AGAIN_SECONDS) from error
        except Retry:
            raise
        except Exception:
            metrics.ERRORS.labels("job_failed").inc()
            log.exception("job_failed", job=name)
            raise

    return run


def _periods(settings: Settings) -> dict[str, float]:
    return {
        "survey": settings.reconcile_seconds,
        "reap": settings.reap_minutes * 60,
        "cleanup": settings.cleanup_minutes * 60,
        "relieve": RELIEVE_SECONDS,
        "requeue_captures": 5.0,
        "deliver_due": 5.0,
        "sweep_clips": 15.0,
        "sweep_thumbnails": 3600.0,
        "forget_audit": 3600.0,
        "forget_captures": 3600.0,
        "check_quotas": 86_400.0,
        "forget_facts": 3600.0,
        "forget_marked": 5.0,
        # looking more often than samples are due, so that none is left out
        "take_sample": history.STEP_SECONDS / 3,
    }


def _build(settings: Settings, ctx: Context, livekit: LiveKit) -> Worker:
    recurring = _periods(settings)

    def job(name: str, coroutine: Callable[..., Awaitable[None]], seconds: float) -> Any:
        return func(
            _steady(name, coroutine, recurs=name in recurring),
            name=name,
            timeout=seconds,
            max_tries=_MAX_TRIES,
            keep_result=0,
        )

    redis = queue.redis_settings(settings.redis_url)
    # without these arq's worker ends with the first command that finds Redis away
    redis.retry = RedisRetry(ExponentialBackoff(cap=1.0, base=0.05), _REDIS_RETRIES)
    redis.retry_on_error = [RedisConnectionError, RedisTimeoutError, OSError]
    return Worker(
        functions=[
            job("reconcile", reconcile, RECONCILE_SECONDS),
            job("reconcile_room", reconcile_room, 30),
            job("learn_clock", learn_clock, 15),
            job("survey", run_survey, 60),
            job("reap", run_reap, 60),
            job("deliver", deliver, RECONCILE_SECONDS),
            job("deliver_due", deliver_due, 30),
            job("relieve", relieve, RECONCILE_SECONDS),
            job("cleanup", run_cleanup, RECONCILE_SECONDS),
            job("capture", capture, 15),
            job("requeue_captures", requeue_captures, 30),
            job("sweep_clips", sweep_clips, RECONCILE_SECONDS),
            job("sweep_thumbnails", sweep_thumbnails, RECONCILE_SECONDS),
            job("forget_audit", forget_audit, RECONCILE_SECONDS),
            job("forget_captures", forget_captures, RECONCILE_SECONDS),
            job("check_quotas", check_quotas, RECONCILE_SECONDS),
            job("forget_facts", forget_facts, RECONCILE_SECONDS),
            job("forget", forget, RECONCILE_SECONDS),
            job("forget_marked", forget_marked, RECONCILE_SECONDS),
            job("take_sample", take_sample, 30),
        ],
        redis_settings=redis,
        queue_name=queue.QUEUE,
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
        max_jobs=MAX_JOBS,
        poll_delay=0.05,
        health_check_interval=15,
        handle_signals=False,
        ctx={"ctx": ctx, "livekit": livekit, "sampler": history.Sampler(ctx)},
        log_results=False,
    )


async def run(settings: Settings) -> None:
    """The worker, until it is cancelled. Jobs that run then are given back to the queue."""
    async with (
        context.opened(settings) as ctx,
        health.alive(ctx, "worker"),
        exposition.served(ctx),
    ):
        livekit = LiveKit(settings)
        worker = _build(settings, ctx, livekit)
        try:
            async with asyncio.TaskGroup() as group:
                worker.ctx["captures"] = group
                group.create_task(schedule.keep_asking(ctx.queue, _periods(settings)))
                group.create_task(worker.async_run())
        finally:
            await worker.close()
            await livekit.close()
