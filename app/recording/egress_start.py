"""Starts an egress exactly once, although LiveKit's StartEgress is not idempotent.

The session's row exists before StartEgress is called, and its id stands in the file prefix. The
process that makes the row makes the call. An egress whose answer was lost is recognised in
ListEgress by its prefix, and adopted.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from livekit.protocol.egress import EgressInfo

from app import metrics
from app.buffer import paths, session_folders
from app.buffer.session_folders import OUTER_MODE, WRITTEN_MODE, folders_of
from app.context import Context
from app.models import BufferRow, EgressStatus, SessionRole, SessionRow, Why, schema
from app.models.metric_words import ErrorKind, StartOutcome
from app.recording import asked_egress, egress_facts, egress_request, planner, whose_egress
from app.recording import livekit as lk
from app.recording.encoding import asked
from app.recording.livekit import LiveKit, NoWorker, StartRefused, StartUnclear
from app.recording.share_facts import Chosen
from app.recording.share_work import ShareWork
from app.store import row_of
from app.tracing import trace
from app.tracing.trace import StepFacts, StepKind

START = "livekit.Egress/StartTrackCompositeEgress"

log = structlog.get_logger()


async def close_outer(ctx: Context) -> None:
    """Has egress write in folders of sessions alone, whatever it might before we were there."""
    try:
        await asyncio.to_thread(session_folders.close_outer, ctx.egress)
    except OSError as error:  # each start of a recording says so, too
        log.warning("folder_not_closed", error=str(error))


async def start(
    work: ShareWork, role: SessionRole, audio_sid: str | None, encoding: Chosen
) -> None:
    """Makes a session of a share, calls StartEgress for it and notes what came of that.

    Raises KeyTaken if the share has a session of this role, or no slot is left for it.
    """
    ctx, buffer = work.ctx, work.buffer
    row = _session(ctx, buffer, role, audio_sid, encoding, datetime.now(UTC))
    written = folders_of(ctx.egress, row).written
    try:
        await ctx.require_media_root()
        aside = await asyncio.to_thread(written.make, WRITTEN_MODE, OUTER_MODE)
    except OSError as error:
        work.add_session(row)
        detail = f"{row['folder']} can't be made: {error.strerror or error}"
        _failed(work, row, Why.EGRESS_FAILED, detail)
        metrics.EGRESS_STARTS.labels(StartOutcome.NO_FOLDER).inc()
        return
    for path in aside:  # by egress, if by anybody: the doctor tells of it until it is gone
        metrics.ERRORS.labels(ErrorKind.FOLDER_PUT_ASIDE).inc()
        log.error("folder_put_aside", session=row["_id"], room=buffer["room"], now=path)
    work.take_slot()
    work.add_session(row)
    await work.write()
    request = lk.StartRequest(
        room=buffer["room"],
        video_sid=row["video_sid"],
        audio_sid=audio_sid,
        prefix=egress_request.prefix(ctx.settings, row["folder"]),
        segment_seconds=row["segment_seconds"],
        encoding=asked(row["encoding"]),
        s3=egress_request.s3(ctx.settings),
    )
    try:
        with trace.step(START, _told(row), kind=StepKind.CLIENT):
            info = await work.livekit.start(request)
    except NoWorker as error:
        # the worker that was chosen may have been slow to answer, and run it all the same
        if await look(ctx, work.livekit, row):
            work.is_stale = True
            return
        _failed(work, row, Why.NO_WORKER, str(error))
        metrics.EGRESS_STARTS.labels(StartOutcome.NO_WORKER).inc()
    except StartRefused as error:
        _failed(work, row, Why.EGRESS_FAILED, str(error))
        # the room went before the start went through: no error for anyone
        gone = error.code == "not_found"
        metrics.EGRESS_STARTS.labels(StartOutcome.GONE if gone else StartOutcome.REFUSED).inc()
    except StartUnclear as error:
        work.set_session(row, {"start_unclear_at": datetime.now(UTC)})
        log.warning("egress_start_unclear", session=row["_id"], error=str(error))
        metrics.EGRESS_STARTS.labels(StartOutcome.UNCLEAR).inc()
    else:
        await _note_start(work, row, info)


def _session(
    ctx: Context,
    buffer: BufferRow,
    role: SessionRole,
    audio_sid: str | None,
    encoding: Chosen,
    now: datetime,
) -> SessionRow:
    """The row of a session whose start is asked for now."""
    session_id = paths.new_session_id(ctx.instance, now)
    made = schema.EgressSession(
        id=session_id,
        buffer_id=buffer["_id"],
        room=buffer["room"],
        room_sid=buffer["room_sid"],
        identity=buffer["identity"],
        video_sid=buffer["video_sid"],
        audio_sid=audio_sid,
        role=role,
        folder=str(paths.session_folder(buffer["room"], buffer["identity"], session_id)),
        created_at=now,
        start_sent_at=now,
        segment_seconds=ctx.settings.segment_seconds,
        encoding=encoding.name,
        encoding_why=encoding.why,
    )
    return row_of(made)


def _told(row: SessionRow) -> StepFacts:
    """What a trace tells of the start of a session's egress."""
    return {
        "rpc.system.name": "twirp",
        "rpc.method": START,
        "replay.session.id": row["_id"],
        "replay.buffer.id": row["buffer_id"],
    }


async def _note_start(work: ShareWork, row: SessionRow, info: EgressInfo) -> None:
    """Notes which egress was started for a session."""
    store, buffer = work.ctx.store, work.buffer
    whose_egress.remember(store, info.egress_id, row)
    noted = await egress_facts.note(store, info, datetime.now(UTC), session_id=row["_id"])
    metrics.EGRESS_STARTS.labels(StartOutcome.OK).inc()
    log.info(
        "egress_started",
        session=row["_id"],
        egress=info.egress_id,
        room=buffer["room"],
        identity=buffer["identity"],
        audio=row["audio_sid"] is not None,
        encoding=row["encoding"],
    )
    if noted and not egress_facts.is_telling(info):
        work.now_is({**row, "egress_id": info.egress_id})
    else:
        work.is_stale = True


async def look(ctx: Context, livekit: LiveKit, row: SessionRow) -> bool:
    """Looks in ListEgress for a session's egress, and adopts it. Returns whether there is one."""
    for info in await livekit.room_egresses(row["room"]):
        if asked_egress.may_serve(info, row):
            await egress_facts.note(ctx.store, info, datetime.now(UTC), session_id=row["_id"])
            log.info("egress_adopted", session=row["_id"], egress=info.egress_id)
            return True
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"]}, {"$set": {"looked_at": datetime.now(UTC)}}
    )
    return False


async def note_end(ctx: Context, row: SessionRow, info: EgressInfo | None, now: datetime) -> None:
    """Writes down the end of a session's egress. `info` is None if LiveKit has forgotten it."""
    if info is not None:
        await egress_facts.note(ctx.store, info, now, session_id=row["_id"])
        return
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"], "ended_at": None},
        {"$set": {"ended_at": now, "status": EgressStatus.COMPLETE}},
    )


def was_healthy(row: SessionRow, now: datetime) -> bool:
    """Whether a session recorded so long that its end does not count as a failed start."""
    if row["active_at"] is None:
        return False
    lasted = (row["ended_at"] or now) - row["active_at"]
    return lasted.total_seconds() >= planner.HEALTHY_SECONDS


def _failed(work: ShareWork, row: SessionRow, why: Why, detail: str) -> None:
    """Notes that no egress came of a start, and why. It counts for the back-off."""
    metrics.ERRORS.labels(ErrorKind.EGRESS_FAILED).inc()
    log.warning("egress_not_started", session=row["_id"], room=work.buffer["room"], error=detail)
    work.set_buffer({"why": why, "why_detail": detail[:300]})
    ended = {"ended_at": datetime.now(UTC), "status": EgressStatus.FAILED, "error": detail[:500]}
    work.set_session(row, ended)
