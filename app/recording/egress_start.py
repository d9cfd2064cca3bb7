"""Starts an egress exactly once, although LiveKit's StartEgress is not idempotent.

The session's row exists before StartEgress is called, and its id stands in the file prefix. The
process that sets `start_sent_at` makes the call. An egress whose answer was lost is recognised in
ListEgress by its prefix, and adopted.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

import structlog
from livekit.protocol.egress import EgressInfo

from app import metrics
from app.buffer import paths, session_folders
from app.buffer.session_folders import OUTER_MODE, WRITTEN_MODE, folders_of
from app.context import Context
from app.models import BufferRow, EgressStatus, SessionRole, SessionRow, TrackRow, Why, schema
from app.models.metric_words import ErrorKind, StartOutcome
from app.recording import asked_egress, facts, planner
from app.recording import livekit as lk
from app.recording.encoding import encoding
from app.recording.livekit import LiveKit, NoWorker, StartRefused, StartUnclear

log = structlog.get_logger()


async def close_outer(ctx: Context) -> None:
    """Has egress write in folders of sessions alone, whatever it might before we were there."""
    try:
        await asyncio.to_thread(session_folders.close_outer, ctx.settings.media_root)
    except OSError as error:  # each start of a recording says so, too
        log.warning("folder_not_closed", error=str(error))


async def create(
    ctx: Context, buffer: BufferRow, track: TrackRow, role: SessionRole, audio_sid: str | None
) -> SessionRow | None:
    """Writes the row of a new session. None if the share has one of this role."""
    now = datetime.now(UTC)
    session_id = paths.new_session_id(ctx.instance, now)
    session = schema.EgressSession(
        id=session_id,
        buffer_id=buffer["_id"],
        room=buffer["room"],
        room_sid=buffer["room_sid"],
        identity=buffer["identity"],
        video_sid=track["_id"],
        audio_sid=audio_sid,
        role=role,
        folder=str(paths.session_folder(buffer["room"], buffer["identity"], session_id)),
        created_at=now,
        segment_seconds=ctx.settings.segment_seconds,
    )
    created = await ctx.store.create(session)
    return cast(SessionRow, session.model_dump_doc()) if created else None


async def start(
    ctx: Context, livekit: LiveKit, row: SessionRow, buffer: BufferRow, track: TrackRow
) -> SessionRow | None:
    """Calls StartEgress for a session, if nobody has yet, and writes down what came of it.

    Returns the session's row if its egress has started, None if anything else has come of it.
    """
    sessions = ctx.store.rows(schema.EgressSession)
    written = folders_of(ctx.settings.media_root, row).written
    try:
        aside = await asyncio.to_thread(written.make, WRITTEN_MODE, OUTER_MODE)
    except OSError as error:
        detail = f"{row['folder']} can't be made: {error.strerror or error}"
        await _failed(ctx, row, buffer, Why.EGRESS_FAILED, detail)
        metrics.EGRESS_STARTS.labels(StartOutcome.NO_FOLDER).inc()
        return None
    for path in aside:  # by egress, if by anybody: the doctor tells of it until it is gone
        metrics.ERRORS.labels(ErrorKind.FOLDER_PUT_ASIDE).inc()
        log.error("folder_put_aside", session=row["_id"], room=buffer["room"], now=path)
    now = datetime.now(UTC)
    mine = await sessions.update_one(
        {"_id": row["_id"], "start_sent_at": None}, {"$set": {"start_sent_at": now}}
    )
    if not mine.modified_count:
        return None
    request = lk.StartRequest(
        room=buffer["room"],
        video_sid=track["_id"],
        audio_sid=row["audio_sid"],
        prefix=paths.filename_prefix(ctx.settings.egress_media_root, row["folder"]),
        segment_seconds=row["segment_seconds"],
        encoding=encoding(ctx.settings.encoding, track["width"], track["height"]),
    )
    try:
        info = await livekit.start(request)
    except NoWorker as error:
        # the worker that was chosen may have been slow to answer, and run it all the same
        if await look(ctx, livekit, {**row, "start_sent_at": now}):
            return None
        await _failed(ctx, row, buffer, Why.NO_WORKER, str(error))
        metrics.EGRESS_STARTS.labels(StartOutcome.NO_WORKER).inc()
    except StartRefused as error:
        await _failed(ctx, row, buffer, Why.EGRESS_FAILED, str(error))
        # the room went before the start went through: no error for anyone
        gone = error.code == "not_found"
        metrics.EGRESS_STARTS.labels(StartOutcome.GONE if gone else StartOutcome.REFUSED).inc()
    except StartUnclear as error:
        await sessions.update_one(
            {"_id": row["_id"]}, {"$set": {"start_unclear_at": datetime.now(UTC)}}
        )
        log.warning("egress_start_unclear", session=row["_id"], error=str(error))
        metrics.EGRESS_STARTS.labels(StartOutcome.UNCLEAR).inc()
    else:
        started = await facts.egress(ctx.store, info, datetime.now(UTC), session_id=row["_id"])
        metrics.EGRESS_STARTS.labels(StartOutcome.OK).inc()
        log.info(
            "egress_started",
            session=row["_id"],
            egress=info.egress_id,
            room=buffer["room"],
            identity=buffer["identity"],
            audio=row["audio_sid"] is not None,
        )
        return started
    return None


async def look(ctx: Context, livekit: LiveKit, row: SessionRow) -> bool:
    """Looks in ListEgress for a session's egress, and adopts it. Returns whether there is one."""
    for info in await livekit.room_egresses(row["room"]):
        if asked_egress.may_serve(info, row):
            await facts.egress(ctx.store, info, datetime.now(UTC), session_id=row["_id"])
            log.info("egress_adopted", session=row["_id"], egress=info.egress_id)
            return True
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"]}, {"$set": {"looked_at": datetime.now(UTC)}}
    )
    return False


async def note_end(ctx: Context, row: SessionRow, info: EgressInfo | None, now: datetime) -> None:
    """Writes down the end of a session's egress. `info` is None if LiveKit has forgotten it."""
    if info is not None:
        await facts.egress(ctx.store, info, now, session_id=row["_id"])
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


async def _failed(ctx: Context, row: SessionRow, buffer: BufferRow, why: Why, detail: str) -> None:
    """Writes down that no egress came of a start, and why. It counts for the back-off."""
    metrics.ERRORS.labels(ErrorKind.EGRESS_FAILED).inc()
    log.warning("egress_not_started", session=row["_id"], room=buffer["room"], error=detail)
    await ctx.store.rows(schema.Buffer).update_one(
        {"_id": buffer["_id"]}, {"$set": {"why": why, "why_detail": detail[:300]}}
    )
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"]},
        {
            "$set": {
                "ended_at": datetime.now(UTC),
                "status": EgressStatus.FAILED,
                "error": detail[:500],
            }
        },
    )
