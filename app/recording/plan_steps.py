"""The steps of a share's plan, carried out: rows before side effects, and those before results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from app.models import SessionRole, SessionRow, Why
from app.recording import egress_start, ghosts, planner
from app.recording.livekit import AlreadyOver, WorkerGone
from app.recording.share_work import ShareWork

log = structlog.get_logger()


async def act(work: ShareWork, step: planner.PlannedStep) -> None:
    """Carries one step out. Raises KeyTaken if another process was faster."""
    if isinstance(step, planner.Create):
        if step.steps_down:
            work.step_down(step.encoding)
        await egress_start.start(work, step.role, step.audio_sid, step.encoding)
        return
    row = next((each for each in work.active if each["_id"] == step.session_id), None)
    if row is None:
        work.is_stale = True
        return
    match step:
        case planner.Look():
            await work.write()
            await egress_start.look(work.ctx, work.livekit, row)
            work.is_stale = True
        case planner.Stop() if row["egress_id"] is not None:
            await _stop(work, row, row["egress_id"])
        case planner.Retire(failed=failed, reason=reason, step=cheaper):
            if failed:
                _count_failure(work, row)
            if cheaper is not None:
                work.step_down(cheaper)
            work.set_session(row, {"role": None, "ended_at": row["ended_at"] or datetime.now(UTC)})
            log.info("session_over", session=row["_id"], reason=reason, failed=failed)
        case planner.Promote():
            work.set_session(row, {"role": SessionRole.CURRENT}, role=SessionRole.NEXT)


async def _stop(work: ShareWork, row: SessionRow, egress_id: str) -> None:
    """Asks LiveKit to stop an egress."""
    ctx, livekit, why = work.ctx, work.livekit, work.buffer["why"]
    refused = why if why is not None and Why(why).refuses else row["stopped_for"]
    work.set_session(row, {"stop_sent_at": datetime.now(UTC), "stopped_for": refused})
    await work.write()
    try:
        await livekit.stop(egress_id)
        log.info("egress_stopped", session=row["_id"], egress=egress_id)
    except AlreadyOver:
        info = await livekit.egress(egress_id)
        await egress_start.note_end(ctx, row, info, datetime.now(UTC))
        work.is_stale = True
    except WorkerGone as error:
        log.warning("egress_stop_unanswered", egress=egress_id, error=str(error))
        if await ghosts.is_silent(ctx, row, datetime.now(UTC)):
            await ghosts.declare(ctx, row)
            work.is_stale = True
        # a hanging worker is asked again


def _count_failure(work: ShareWork, row: SessionRow) -> None:
    """Sets the back-off of the share's next start.

    It is written before the session loses its role: killed in between, that is done again.
    """
    now = datetime.now(UTC)
    failures = 1 if egress_start.was_healthy(row, now) else work.buffer["failures"] + 1
    wait = timedelta(seconds=planner.back_off_seconds(failures))
    work.set_buffer({"failures": failures, "retry_at": now + wait})
