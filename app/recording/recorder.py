"""Makes what is recorded equal to what should be: one participant's shares at a time.

`reconcile` is level-triggered. It reads the facts, lets the planner decide and carries the steps
out, until there is nothing to do now. Rows come before side effects, and side effects before their
results. So a process that is killed anywhere leaves something to adopt.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from app import metrics
from app.buffer import paths
from app.context import Context
from app.errors import Unavailable
from app.models import BufferRow, RoomRow, Row, SessionRole, SessionRow, TrackRow, Why, schema
from app.recording import (
    admission,
    belonging,
    egress_start,
    facts,
    open_shares,
    opt_out,
    pairing,
    planner,
    share_events,
)
from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone
from app.work import errands, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()

# Longer than the longest thing done under it, a start of 40 s.
LOCK_SECONDS = 60
# Actions of one share in one reconcile: far more than any sequence of them needs.
MAX_ROUNDS = 12


@job(errands.RECONCILE, timeout=seconds(90))
async def reconcile(ctx: Context, livekit: LiveKit, room_sid: str, identity: str) -> None:
    """Makes actual equal wanted for one participant of a room.

    Asks for itself again where something has to be waited for. Raises Busy if another worker is
    at it, and Unavailable if LiveKit does not answer.
    """
    async with ctx.queue.alone(errands.RECONCILE, room_sid, identity, seconds=LOCK_SECONDS):
        again_at: datetime | None = None
        away: Unavailable | None = None
        for _, video_sid in sorted(await open_shares.shares(ctx.store, room_sid, identity)):
            with rounds.item(room=room_sid, share=video_sid) as attempt:
                at = await _reconcile_share(ctx, livekit, room_sid, video_sid)
                again_at = min(filter(None, (again_at, at)), default=None)
            if isinstance(attempt.error, Unavailable):
                away = attempt.error
        if again_at is not None:
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity, at=again_at)
        if away is not None:
            raise away


async def _reconcile_share(
    ctx: Context, livekit: LiveKit, room_sid: str, video_sid: str
) -> datetime | None:
    """Brings one share to rest. Returns when to look at it again; None if that is not needed."""
    for _ in range(MAX_ROUNDS):
        now = datetime.now(UTC)
        track = await ctx.store.rows(schema.Track).find_one({"_id": video_sid})
        if track is None:
            return None
        buffer = await _buffer(ctx, livekit, track, now)
        sessions = await (
            ctx.store.rows(schema.EgressSession)
            .find({"buffer_id": buffer["_id"], "role": {"$in": list(SessionRole)}})
            .to_list(None)
        )
        share = await _share(ctx, track, buffer, now, running=bool(sessions))
        made = planner.plan(share, sessions, now, ctx.settings.audio_wait_seconds)
        await _tell(ctx, buffer, share, made.why, now)
        if share.refusal is Why.OPTED_OUT:
            await opt_out.forget(ctx, buffer, now)
        if not made.actions:
            if not sessions and (not share.live or share.refusal or share.resting(now)):
                await admission.leave(ctx, buffer)
            active = any(row["active_at"] for row in sessions)
            await share_events.tell(ctx, livekit, buffer, share, active=active)
            return made.again_at
        for action in made.actions:
            await _act(ctx, livekit, action, buffer, track, sessions)
    log.error("reconcile_does_not_rest", share=video_sid)
    return datetime.now(UTC) + timedelta(seconds=5)


async def _buffer(ctx: Context, livekit: LiveKit, track: TrackRow, now: datetime) -> BufferRow:
    buffers = ctx.store.rows(schema.Buffer)
    buffer_id = paths.buffer_id(ctx.instance, track["room_sid"], track["_id"])
    row = await buffers.find_one({"_id": buffer_id})
    if row is None:
        room = await _room(ctx, livekit, track)
        await opt_out.ask(ctx, livekit, track, now)
        await ctx.store.create(
            schema.Buffer(
                id=buffer_id,
                room=track["room"],
                room_sid=track["room_sid"],
                identity=track["identity"],
                participant_sid=track["participant_sid"],
                video_sid=track["_id"],
                community=await belonging.community_of(ctx, track, room),
                since=track["published_at"] or now,
            )
        )
        row = await buffers.find_one({"_id": buffer_id})
    if row is None:
        raise RuntimeError(f"buffer {buffer_id} vanished while it was made")
    return row


async def _room(ctx: Context, livekit: LiveKit, track: TrackRow) -> RoomRow | None:
    """The room's row. If room_started was missed, LiveKit is asked for the community's sake."""
    rooms = ctx.store.rows(schema.Room)
    row = await rooms.find_one({"_id": track["room_sid"]})
    if row is None and (room := await livekit.room(track["room"])) is not None:
        await facts.room_started(ctx.store, room)
        row = await rooms.find_one({"_id": track["room_sid"]})
    return row


async def _share(
    ctx: Context, track: TrackRow, buffer: BufferRow, now: datetime, *, running: bool
) -> planner.ShareFacts:
    participant, room = await asyncio.gather(
        ctx.store.rows(schema.Participant).find_one({"_id": track["participant_sid"]}),
        ctx.store.rows(schema.Room).find_one({"_id": track["room_sid"]}),
    )
    live = (
        track["live"]
        and track["missing"] < 2
        and (participant is None or participant["left_at"] is None)
        and (room is None or room["finished_at"] is None)
    )
    share = planner.ShareFacts(
        live=live,
        published_at=track["published_at"] or buffer["since"],
        failures=buffer["failures"],
        retry_at=buffer["retry_at"],
    )
    if not live:
        return share
    resting = share.resting(now)
    audio_sid, refusal = await asyncio.gather(
        _audio_sid(ctx, track, now),
        admission.admit(ctx, buffer, track, participant, running=running, resting=resting),
    )
    return replace(share, audio_sid=audio_sid, refusal=refusal)


async def _audio_sid(ctx: Context, video: TrackRow, now: datetime) -> str | None:
    theirs = ctx.store.rows(schema.Track).find({"participant_sid": video["participant_sid"]})
    videos: list[pairing.Published] = []
    audios: list[pairing.Published] = []
    async for track in theirs:
        published = pairing.Published(track["_id"], track["published_at"] or now)
        if track["video"]:
            videos.append(published)
        elif track["live"] and track["missing"] < 2:
            audios.append(published)
    return pairing.audio_of(video["_id"], videos, audios)


async def _tell(
    ctx: Context, buffer: BufferRow, share: planner.ShareFacts, why: Why | None, now: datetime
) -> None:
    """Writes into the buffer's row what callers may know: over or not, and why nothing records."""
    change: Row = {}
    if why is Why.EGRESS_FAILED and buffer["why"] == Why.NO_WORKER:
        why = Why.NO_WORKER
    detail = await admission.detail(ctx, buffer, why)
    # What went wrong is told until it records, not only until the next try begins.
    has_failed = buffer["failures"] or buffer["why"] in (Why.NO_WORKER, Why.EGRESS_FAILED)
    is_news = why != buffer["why"] and not (why is Why.STARTING and has_failed)
    if is_news or (why in Why.limits() and detail != buffer["why_detail"]):
        change |= {"why": why, "why_detail": detail}
        if is_news and why is not None and why.refuses:
            metrics.REFUSALS.labels(why).inc()
            log.info("share_refused", room=buffer["room"], identity=buffer["identity"], why=why)
    if share.live and buffer["ended_at"] is not None:
        change["ended_at"] = None
    elif not share.live and buffer["ended_at"] is None:
        change |= {"ended_at": now, "why": None}
    if change:
        await ctx.store.rows(schema.Buffer).update_one({"_id": buffer["_id"]}, {"$set": change})


async def _act(
    ctx: Context,
    livekit: LiveKit,
    action: planner.PlannedStep,
    buffer: BufferRow,
    track: TrackRow,
    sessions: list[SessionRow],
) -> None:
    row = next((s for s in sessions if s["_id"] == getattr(action, "session_id", "")), None)
    match action:
        case planner.Create(role=role, audio_sid=audio_sid):
            await egress_start.create(ctx, buffer, track, role, audio_sid)
        case planner.Start() if row is not None:
            await egress_start.start(ctx, livekit, row, buffer, track)
        case planner.Look() if row is not None:
            await egress_start.look(ctx, livekit, row)
        case planner.Stop() if row is not None and row["egress_id"] is not None:
            await _stop(ctx, livekit, row, row["egress_id"])
        case planner.Retire(failed=failed, reason=reason) if row is not None:
            await retire(ctx, row, buffer, failed=failed, reason=reason)
        case planner.Promote(session_id=session_id):
            await ctx.store.rows(schema.EgressSession).update_one(
                {"_id": session_id, "role": SessionRole.NEXT},
                {"$set": {"role": SessionRole.CURRENT}},
            )


async def _stop(ctx: Context, livekit: LiveKit, row: SessionRow, egress_id: str) -> None:
    sessions = ctx.store.rows(schema.EgressSession)
    now = datetime.now(UTC)
    await sessions.update_one({"_id": row["_id"]}, {"$set": {"stop_sent_at": now}})
    try:
        await livekit.stop(egress_id)
        log.info("egress_stopped", session=row["_id"], egress=egress_id)
    except AlreadyOver:
        info = await livekit.egress(egress_id)
        await egress_start.note_end(ctx, row, info, now)
    except WorkerGone as error:
        # the survey finds out whether it is a ghost; a hanging worker is asked again
        log.warning("egress_stop_unanswered", egress=egress_id, error=str(error))


async def retire(
    ctx: Context, row: SessionRow, buffer: BufferRow, *, failed: bool, reason: str
) -> None:
    """Takes a session's role away. A failure sets the back-off of the share's next start."""
    now = datetime.now(UTC)
    if failed:
        # the share's clock first: killed in between, the retirement is done again
        failures = 1 if egress_start.was_healthy(row, now) else buffer["failures"] + 1
        wait = planner.back_off_seconds(failures)
        await ctx.store.rows(schema.Buffer).update_one(
            {"_id": buffer["_id"]},
            {"$set": {"failures": failures, "retry_at": now + timedelta(seconds=wait)}},
        )
    await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"]},
        {"$set": {"role": None, "ended_at": row["ended_at"] or now}},
    )
    log.info("session_over", session=row["_id"], reason=reason, failed=failed)
