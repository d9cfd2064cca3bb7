"""Makes what is recorded equal to what should be: one participant's shares at a time.

`reconcile` is level-triggered. It reads the facts, lets the planner decide and carries the steps
out, until there is nothing to do now. Rows come before side effects, and side effects before their
results. So a process that is killed anywhere leaves something to adopt.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog

from app import metrics
from app.buffer import paths
from app.context import Context
from app.errors import Unavailable
from app.models import (
    BufferRow,
    ParticipantRow,
    RoomRow,
    Row,
    SessionRole,
    SessionRow,
    TrackRow,
    Why,
    schema,
)
from app.recording import (
    admission,
    belonging,
    facts,
    open_shares,
    opt_out,
    pairing,
    plan_steps,
    planner,
    share_events,
)
from app.recording.livekit import LiveKit
from app.recording.open_shares import ParticipantFacts
from app.work import errands, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()

# Actions of one share in one reconcile: far more than any sequence of them needs.
MAX_ROUNDS = 12


@job(errands.RECONCILE, timeout=seconds(90))
async def reconcile(ctx: Context, livekit: LiveKit, room_sid: str, identity: str) -> None:
    """Makes actual equal wanted for one participant of a room.

    Asks for itself again where something has to be waited for. Raises Busy if another worker is
    at it, and Unavailable if LiveKit does not answer.
    """
    async with ctx.queue.alone(errands.RECONCILE, room_sid, identity):
        again_at: datetime | None = None
        away: Unavailable | None = None
        known = await open_shares.of_participant(ctx.store, room_sid, identity)
        for video_sid in sorted(known.shares):
            with rounds.item(room=room_sid, share=video_sid) as attempt:
                at = await _reconcile_share(ctx, livekit, known, video_sid)
                again_at = min(filter(None, (again_at, at)), default=None)
            if isinstance(attempt.error, Unavailable):
                away = attempt.error
        if again_at is not None:
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity, at=again_at)
        if away is not None:
            raise away


async def _reconcile_share(
    ctx: Context, livekit: LiveKit, known: ParticipantFacts, video_sid: str
) -> datetime | None:
    """Brings one share to rest. Returns when to look at it again; None if that is not needed.

    Facts are read once: a change of one asks for another reconcile. What this one does is
    carried on, and read again only where its outcome is not known.
    """
    track = next((row for row in known.tracks if row["_id"] == video_sid), None)
    if track is None:
        return None
    buffer = next((row for row in known.buffers if row["video_sid"] == video_sid), None)
    if buffer is None:
        buffer = await _begin(ctx, livekit, track, known.room)
    participant = await _sharer(ctx, track) if track["live"] else None
    admitted = admission.Admission(ctx, track, participant)
    buffer_id = buffer["_id"]
    active = [row for row in known.sessions if row["buffer_id"] == buffer_id and row["role"]]
    for _ in range(MAX_ROUNDS):
        now = datetime.now(UTC)
        share = _share_facts(known, track, participant, buffer, now)
        if share.live:
            refusal = await admitted.admit(buffer, running=bool(active), resting=share.resting(now))
            share = replace(share, refusal=refusal)
        made = planner.plan(share, active, now, ctx.settings.audio_wait_seconds)
        buffer = await _write_outcome(ctx, admitted, buffer, share, made.why, now)
        if share.refusal is Why.OPTED_OUT:
            await opt_out.erase(ctx, buffer, now)
        if not made.actions:
            if not active and (not share.live or share.refusal or share.resting(now)):
                await admission.leave(ctx, buffer)
            records = any(row["active_at"] for row in active)
            await share_events.tell(ctx, livekit, buffer, share, active=records)
            return made.again_at
        is_known = True
        for step in made.actions:
            after = await plan_steps.act(ctx, livekit, step, buffer, track, active)
            if after is None:
                is_known = False
            else:
                active = after
        if not is_known:
            buffer, active = await _read_again(ctx, buffer_id)
    log.error("reconcile_does_not_rest", share=video_sid)
    return datetime.now(UTC) + timedelta(seconds=5)


async def _begin(
    ctx: Context, livekit: LiveKit, track: TrackRow, room: RoomRow | None
) -> BufferRow:
    """Makes a share's buffer. Its room and its sharer are asked about first."""
    if room is None:
        room = await _missed_room(ctx, livekit, track)
    now = datetime.now(UTC)
    await opt_out.ask(ctx, livekit, track, now)
    buffer = schema.Buffer(
        id=paths.buffer_id(ctx.instance, track["room_sid"], track["_id"]),
        room=track["room"],
        room_sid=track["room_sid"],
        identity=track["identity"],
        participant_sid=track["participant_sid"],
        video_sid=track["_id"],
        community=await belonging.community_of(ctx, track, room),
        since=track["published_at"] or now,
    )
    if await ctx.store.create(buffer):
        return cast(BufferRow, buffer.model_dump_doc())
    return (await _read_again(ctx, buffer.id))[0]


async def _missed_room(ctx: Context, livekit: LiveKit, track: TrackRow) -> RoomRow | None:
    """The row of a room whose room_started was missed: LiveKit is asked, for the community."""
    if (room := await livekit.room(track["room"])) is not None:
        await facts.room_started(ctx.store, room)
    return await ctx.store.rows(schema.Room).find_one({"_id": track["room_sid"]})


async def _read_again(ctx: Context, buffer_id: str) -> tuple[BufferRow, list[SessionRow]]:
    """A share's buffer and the sessions that have a role, as they are now."""
    row, sessions = await asyncio.gather(
        ctx.store.rows(schema.Buffer).find_one({"_id": buffer_id}),
        ctx.store.rows(schema.EgressSession)
        .find({"buffer_id": buffer_id, "role": {"$in": list(SessionRole)}})
        .to_list(None),
    )
    if row is None:
        raise RuntimeError(f"buffer {buffer_id} vanished while its share was reconciled")
    return row, sessions


async def _sharer(ctx: Context, track: TrackRow) -> ParticipantRow | None:
    """The connection that shares, as it is known since it was asked about."""
    return await ctx.store.rows(schema.Participant).find_one({"_id": track["participant_sid"]})


def _share_facts(
    known: ParticipantFacts,
    track: TrackRow,
    participant: ParticipantRow | None,
    buffer: BufferRow,
    now: datetime,
) -> planner.ShareFacts:
    room = known.room
    live = (
        facts.is_there(track)
        and (participant is None or participant["left_at"] is None)
        and (room is None or room["finished_at"] is None)
    )
    return planner.ShareFacts(
        live=live,
        published_at=track["published_at"] or buffer["since"],
        audio_sid=_audio_sid(known, track, now) if live else None,
        failures=buffer["failures"],
        retry_at=buffer["retry_at"],
    )


def _audio_sid(known: ParticipantFacts, video: TrackRow, now: datetime) -> str | None:
    videos: list[pairing.Published] = []
    audios: list[pairing.Published] = []
    for track in known.tracks:
        if track["participant_sid"] != video["participant_sid"]:
            continue
        published = pairing.Published(track["_id"], track["published_at"] or now)
        if track["video"]:
            videos.append(published)
        elif facts.is_there(track):
            audios.append(published)
    return pairing.audio_of(video["_id"], videos, audios)


async def _write_outcome(
    ctx: Context,
    admitted: admission.Admission,
    buffer: BufferRow,
    share: planner.ShareFacts,
    why: Why | None,
    now: datetime,
) -> BufferRow:
    """Writes into the buffer's row what callers may know: over or not, and why nothing records.

    Returns the row as it is then.
    """
    change: Row = {}
    if why is Why.EGRESS_FAILED and buffer["why"] == Why.NO_WORKER:
        why = Why.NO_WORKER
    detail = await admitted.detail(buffer, why)
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
    return cast(BufferRow, buffer | change)
