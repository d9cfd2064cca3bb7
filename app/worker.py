"""The worker process: runs the queue's jobs and asks for those that recur."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from arq import Retry, Worker, func
from arq.typing import WorkerCoroutine
from arq.worker import Function
from pymongo.errors import PyMongoError
from redis.asyncio.retry import Retry as RedisRetry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app import metrics
from app.access import admin_deeds, audit, deeds, generations
from app.captures import (
    capture_expiry,
    copy_execution,
    ended_by_others,
    execution,
    rendition_execution,
    role_changes,
    share_erasure,
    withdrawal,
)
from app.captures.capture_tools import CaptureTools
from app.cleaning import cleanup, governor
from app.clips import (
    clip_deeds,
    clip_expiry,
    clip_thumbnails,
    library,
    objections,
    orphans,
    quota_check,
    sharing,
)
from app.condition import history
from app.context import Context
from app.errors import Unavailable
from app.events import postings, room_messages, sender
from app.models import AuditAction
from app.models.metric_words import ErrorKind
from app.recording import (
    attendance,
    egress_clock,
    egress_start,
    fact_expiry,
    ghosts,
    open_shares,
    reaper,
    recorder,
    share_stop,
    survey,
    unread_rooms,
)
from app.recording.livekit import LiveKit
from app.tracing import trace
from app.tracing.trace import StepKind
from app.work import queue, rounds, schedule, store_troubles
from app.work.jobs import Again, Given, Job, Jobs

log = structlog.get_logger()

# Shares that start at the same moment each hold a job for as long as LiveKit takes.
MAX_JOBS = 256
_TRANSIENT_AGAIN_SECONDS = 2.0
_MAX_TRIES = 1000
_UNTIL_ENDED = timedelta(seconds=30)
"""How long a job may take to end that has been told to, as its time is over."""
# About a minute without Redis; then the process ends, and the supervisor starts it again.
_REDIS_RETRIES = 60


def jobs_of(
    ctx: Context, livekit: LiveKit, tools: CaptureTools, captures: asyncio.TaskGroup
) -> Jobs:
    """Every job, with what it is given; `captures` holds those that are being made."""
    return Jobs(
        partial(recorder.reconcile, ctx, livekit),
        partial(recorder.reconcile_egress, ctx, livekit),
        partial(open_shares.reconcile_room, ctx),
        partial(egress_clock.learn_clock, ctx, livekit),
        partial(ghosts.probe, ctx, livekit),
        partial(survey.survey, ctx, livekit),
        partial(attendance.attend, ctx, livekit),
        partial(unread_rooms.read_rooms, ctx, livekit),
        partial(reaper.reap, ctx, livekit),
        partial(fact_expiry.forget_facts, ctx.store, fact_expiry.Keepers()),
        partial(sender.deliver, ctx, partial(room_messages.say, ctx, livekit)),
        partial(postings.post, ctx, partial(sharing.page_of, ctx)),
        partial(sender.deliver_due, ctx),
        partial(governor.relieve, ctx),
        partial(cleanup.run, ctx),
        partial(execution.begin, ctx, tools, captures),
        partial(execution.requeue_expired, ctx),
        partial(copy_execution.begin, ctx, tools, captures),
        partial(copy_execution.requeue_due, ctx),
        partial(rendition_execution.begin, ctx, tools, captures),
        partial(rendition_execution.requeue_due, ctx),
        partial(capture_expiry.forget_captures, ctx),
        partial(share_erasure.go_on, ctx),
        partial(share_erasure.go_on_with_all, ctx),
        partial(clip_expiry.sweep_clips, ctx, clip_expiry.Walks()),
        partial(orphans.expire_orphans, ctx),
        partial(clip_thumbnails.sweep, ctx),
        partial(quota_check.check, ctx),
        partial(audit.forget_old, ctx.store, ctx.settings),
        partial(generations.forget_rights, ctx.store),
        partial(deeds.go_on, ctx.store, what_goes_on(ctx)),
        partial(history.take_sample, history.Sampler(ctx)),
    )


def what_goes_on(ctx: Context) -> deeds.GoingOn:
    """What goes on with what somebody was about to do."""
    only_audited = {
        **dict.fromkeys(clip_deeds.ACTIONS, partial(clip_deeds.is_done, ctx)),
        **dict.fromkeys(ended_by_others.ACTIONS, partial(ended_by_others.is_done, ctx)),
        AuditAction.QUOTA_SET: partial(admin_deeds.is_quota_set, ctx.store),
        AuditAction.RECORDING_RESUMED: partial(share_stop.is_resumed, ctx.store),
        AuditAction.ROOM_ASSIGNED: partial(admin_deeds.is_room_assigned, ctx.store),
        AuditAction.ROOM_RELEASED: partial(admin_deeds.is_room_released, ctx.store),
    }
    return {
        **{action: deeds.if_done(ctx.store, is_done) for action, is_done in only_audited.items()},
        AuditAction.CLIP_CHANGED: partial(objections.go_on, ctx),
        AuditAction.CLIP_DELETED: partial(library.go_on, ctx),
        AuditAction.BUFFER_FORGOTTEN: partial(share_erasure.carry_out, ctx),
        AuditAction.COMMUNITY_CONFIGURED: partial(withdrawal.go_on, ctx),
        AuditAction.MEMBER_REMOVED: partial(role_changes.go_on, ctx),
        AuditAction.MEMBER_SET: partial(role_changes.go_on, ctx),
        AuditAction.RECORDING_STOPPED: partial(share_stop.go_on, ctx),
    }


async def run(ctx: Context) -> None:
    """The worker, until it is cancelled. Jobs that run then are given back to the queue."""
    livekit, tools = LiveKit(ctx.settings), CaptureTools.of(ctx.settings)
    try:
        await egress_start.close_outer(ctx)
        await withdrawal.of_settings(ctx)
        async with asyncio.TaskGroup() as group:
            jobs = jobs_of(ctx, livekit, tools, group)
            names = [job.errand.name for job, _ in jobs.given]
            metrics.begin(metrics.ITEMS_FAILED, [*names, rounds.NO_JOB])
            group.create_task(schedule.keep_asking(ctx.queue, ctx.settings, jobs.recurring()))
            group.create_task(_work(ctx, jobs))
    finally:
        tools.verifier.close()
        await livekit.close()


async def _work(ctx: Context, jobs: Jobs) -> None:
    """Runs arq's worker, anew where a Redis that is away or refuses writes has ended it."""
    while True:
        try:
            return await _run(_worker(ctx, jobs))
        except RedisError as error:
            if store_troubles.note(error) is None:
                raise
        await asyncio.sleep(_TRANSIENT_AGAIN_SECONDS)


def _worker(ctx: Context, jobs: Jobs) -> Worker:
    # without these arq's worker ends with the first command that finds Redis away
    redis = queue.arq_client(
        ctx.settings.redis_url,
        retry=RedisRetry(ExponentialBackoff(cap=1.0, base=0.05), _REDIS_RETRIES),
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )
    return Worker(
        functions=[_function(ctx.queue, job, given) for job, given in jobs.given],
        redis_pool=redis,
        queue_name=queue.QUEUE,
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
        max_jobs=MAX_JOBS,
        poll_delay=0.05,
        health_check_interval=15,
        handle_signals=False,
        log_results=False,
    )


class QueueWorker(Protocol):
    """What of arq's worker is used here."""

    async def async_run(self) -> None: ...
    async def close(self) -> None: ...


async def _run(worker: QueueWorker) -> None:
    """Runs arq's worker until it is cancelled, or raises what ended it."""
    try:
        await worker.async_run()
    finally:
        # It cancels its jobs and waits for them: one that ends cancelled would end this one so, and
        # a task group takes that for an end in order.
        with suppress(asyncio.CancelledError):
            await worker.close()


def _function(asked: queue.Queue, job: Job[..., Any], given: Given) -> Function:
    return func(
        _steady(asked, job, given),
        name=job.errand.name,
        timeout=job.timeout + _UNTIL_ENDED,
        max_tries=_MAX_TRIES,
        keep_result=0,
    )


def _steady(asked: queue.Queue, job: Job[..., Any], given: Given) -> WorkerCoroutine:
    """The job, unimpressed by a store or a LiveKit that is away.

    arq itself repeats no failure: what was asked for is tried again, what recurs has another turn.
    """
    name = job.errand.name

    async def run(ctx: dict[Any, Any], *args: Any, traceparent: str | None = None) -> None:
        with nullcontext() if job.recurs else _step(name, ctx, traceparent):
            await attempt(*args)

    async def attempt(*args: Any) -> None:
        limit = asyncio.timeout(job.timeout.total_seconds())
        try:
            with rounds.begun(name) as made:
                async with limit:
                    await given(*args)
            if job.recurs and made.is_whole:
                await asked.timetable().whole(name, datetime.now(UTC))
        except Again as again:
            raise Retry(defer=again.in_seconds) from None
        except (Unavailable, PyMongoError, RedisError, ConnectionError) as error:
            metrics.ERRORS.labels(ErrorKind.JOB_INTERRUPTED).inc()
            trace.raised(error)
            tell = log.warning if store_troubles.note(error) is None else log.debug
            tell("job_interrupted", job=name, again=not job.recurs, error=str(error)[:300])
            if not job.recurs:
                raise Retry(defer=_TRANSIENT_AGAIN_SECONDS) from error
        except Exception as error:  # not for arq, which would tell the whole of it once more
            metrics.ERRORS.labels(ErrorKind.JOB_FAILED).inc()
            trace.raised(error)
            if limit.expired() and isinstance(error, TimeoutError):
                took = f"it took longer than {job.timeout.total_seconds():g} s"
                log.error("job_failed", job=name, error=took)
            else:
                log.exception("job_failed", job=name)

    return run


def _step(name: str, ctx: dict[Any, Any], traceparent: str | None) -> AbstractContextManager[None]:
    """The step of a job that was asked for, in the trace of whoever did."""
    told = {
        "messaging.system": "arq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": name,
        "messaging.message.id": ctx["job_id"],
        "replay.job.try": ctx["job_try"],
    }
    kind = StepKind.CONSUMER
    return trace.step(f"process {name}", told, kind=kind, traceparent=traceparent, passing=Retry)
