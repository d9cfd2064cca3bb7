"""The steps of a share's plan, carried out: rows before side effects, and those before results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import structlog

from app.context import Context
from app.models import BufferRow, Row, SessionRole, SessionRow, TrackRow, schema
from app.recording import egress_start, ghosts, planner
from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone

log = structlog.get_logger()


async def act(
    ctx: Context,
    livekit: LiveKit,
    step: planner.PlannedStep,
    buffer: BufferRow,
    track: TrackRow,
    sessions: list[SessionRow],
) -> list[SessionRow] | None:
    """Carries one step out. `sessions`: those of the share that have a role.

    Returns them as they are then; None where they have to be read, and perhaps the buffer, too.
    """
    if isinstance(step, planner.Create):
        made = await egress_start.create(ctx, buffer, track, step.role, step.audio_sid)
        return None if made is None else [*sessions, made]
    row = next((each for each in sessions if each["_id"] == step.session_id), None)
    if row is None:
        return None
    others = [each for each in sessions if each is not row]
    match step:
        case planner.Start():
            after = await egress_start.start(ctx, livekit, row, buffer, track)
            return None if after is None else [*others, after]
        case planner.Look():
            await egress_start.look(ctx, livekit, row)
        case planner.Stop() if row["egress_id"] is not None:
            after = await _stop(ctx, livekit, row, row["egress_id"])
            return None if after is None else [*others, after]
        case planner.Retire(failed=failed, reason=reason):
            if failed:
                await _count_failure(ctx, row, buffer)
            await _retire(ctx, row, reason, failed=failed)
            return None if failed else others
        case planner.Promote():
            await ctx.store.rows(schema.EgressSession).update_one(
                {"_id": row["_id"], "role": SessionRole.NEXT},
                {"$set": {"role": SessionRole.CURRENT}},
            )
    return None


async def _stop(
    ctx: Context, livekit: LiveKit, row: SessionRow, egress_id: str
) -> SessionRow | None:
    """Asks LiveKit to stop an egress. Returns the session's row if that is all that is news."""
    sent: Row = {"stop_sent_at": datetime.now(UTC)}
    await ctx.store.rows(schema.EgressSession).update_one({"_id": row["_id"]}, {"$set": sent})
    try:
        await livekit.stop(egress_id)
        log.info("egress_stopped", session=row["_id"], egress=egress_id)
    except AlreadyOver:
        info = await livekit.egress(egress_id)
        await egress_start.note_end(ctx, row, info, datetime.now(UTC))
        return None
    except WorkerGone as error:
        log.warning("egress_stop_unanswered", egress=egress_id, error=str(error))
        if await ghosts.is_silent(ctx, row, datetime.now(UTC)):
            await ghosts.declare(ctx, row)
            return None
        # a hanging worker is asked again
    return cast(SessionRow, row | sent)


async def _count_failure(ctx: Context, row: SessionRow, buffer: BufferRow) -> None:
    """Sets the back-off of the share's next start.

    Before the session loses its role: killed in between, the retirement is done again.
    """
    now = datetime.now(UTC)
    failures = 1 if egress_start.was_healthy(row, now) else buffer["failures"] + 1
    wait = planner.back_off_seconds(failures)
    await ctx.store.rows(schema.Buffer).update_one(
        {"_id": buffer["_id"]},
        {"$set": {"failures": failures, "retry_at": now + timedelta(seconds=wait)}},
    )


async def _retire(ctx: Context, row: SessionRow, reason: str, *, failed: bool) -> None:
    """Takes a session's role away."""
    ended_at = row["ended_at"] or datetime.now(UTC)
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"]}, {"$set": {"role": None, "ended_at": ended_at}}
    )
    log.info("session_over", session=row["_id"], reason=reason, failed=failed)
