"""Makes what is recorded equal to what should be: one participant's shares at a time.

`reconcile` is level-triggered. It reads what is known, lets the planner decide and carries the
steps out, until there is nothing to do now. Rows come before side effects, and side effects before
their results. So a process that is killed anywhere leaves something to adopt.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from app import metrics
from app.buffer import paths
from app.context import Context
from app.errors import Unavailable
from app.models import RoomRow, Row, TrackRow, Why, schema
from app.recording import (
    belonging,
    continuation,
    egress_clock,
    encoding_steps,
    facts,
    known,
    open_shares,
    opt_out,
    pairing,
    plan_steps,
    planner,
    succession,
    whose_egress,
)
from app.recording.admission import Admission
from app.recording.known import Known
from app.recording.livekit import LiveKit
from app.recording.share_facts import ShareFacts
from app.recording.share_work import ShareWork
from app.store import KeyTaken, row_of
from app.work import errands, rounds
from app.work.jobs import Asked, job, seconds
from app.work.log_lines import LogLines

log = structlog.get_logger()
_lines = LogLines("shares_refused_without_lines", per_minute=60)

# Actions of one share in one reconcile: far more than any sequence of them needs.
MAX_ROUNDS = 12


@job(errands.RECONCILE, timeout=seconds(90))
async def reconcile(ctx: Context, livekit: LiveKit, room_sid: str, identity: str) -> None:
    """Makes actual equal wanted for one participant of a room.

    Asks for itself again where something has to be waited for. Raises Busy if another worker is
    at it, and Unavailable if LiveKit does not answer.
    """
    await _reconcile(ctx, livekit, room_sid, identity)


@job(errands.RECONCILE_EGRESS, timeout=seconds(90))
async def reconcile_egress(ctx: Context, livekit: LiveKit, egress_id: str) -> None:
    """Makes actual equal wanted for whom an egress records. Raises as `reconcile` does."""
    if (whose := await whose_egress.of(ctx.store, egress_id)) is not None:
        await _reconcile(ctx, livekit, *whose, errands.RECONCILE_EGRESS.of(egress_id))


async def _reconcile(
    ctx: Context, livekit: LiveKit, room_sid: str, identity: str, *asked_as: Asked
) -> None:
    async with ctx.queue.alone(errands.RECONCILE, room_sid, identity, begun=asked_as) as alone:
        away: Unavailable | None = None
        found = await known.read(ctx.store, room_sid, identity)
        for video_sid in open_shares.of(found):
            with rounds.item(room=room_sid, share=video_sid) as attempt:
                at, found = await _reconcile_share(ctx, livekit, found, video_sid)
                alone.again_at = _first(alone.again_at, at)
            if isinstance(attempt.error, Unavailable):
                away = attempt.error
        if away is not None:
            raise away


async def _reconcile_share(
    ctx: Context, livekit: LiveKit, found: Known, video_sid: str
) -> tuple[datetime | None, Known]:
    """Brings one share to rest.

    Returns when to look at it again, None if that is not needed, and what is known then. That is
    carried on, and read again only where the outcome of a step is not known, or where another
    process was faster.
    """
    work = await _begin(ctx, livekit, found, video_sid)
    for _ in range(MAX_ROUNDS):
        if work is None:
            return None, found
        try:
            made = await _round(work)
        except KeyTaken:
            work.is_stale = True
        else:
            if not made.actions:
                return made.again_at, found
        if work.is_stale:
            found = await known.read(ctx.store, work.buffer["room_sid"], work.buffer["identity"])
            work = await _begin(ctx, livekit, found, video_sid)
    log.error("reconcile_does_not_rest", share=video_sid)
    return datetime.now(UTC) + timedelta(seconds=5), found


async def _round(work: ShareWork) -> planner.Plan:
    """Decides about a share, and does what is to be done now. Raises KeyTaken."""
    ctx, now = work.ctx, datetime.now(UTC)
    share = _share_facts(work, now)
    if share.live:
        running = any(map(share.is_of, work.active))
        resting = share.resting(now)
        refusal = await work.admitted.refusal(work.buffer, running=running, resting=resting)
        share = replace(share, refusal=refusal)
    made = planner.plan(share, work.active, now, ctx.settings.audio_wait_seconds)
    if not await _may_be_done(work, made):
        share = _waiting(work, share)
        made = planner.plan(share, work.active, now, ctx.settings.audio_wait_seconds)
    was = work.buffer["why"]
    _note_outcome(work, share, made.why, now)
    if share.refusal is Why.OPTED_OUT:
        work.buffer = await opt_out.erase(ctx, work.buffer, was, now)
    is_over = not share.live or share.refusal is not None
    if is_over or not made.actions:
        await work.tell(share)
    if not (made.actions or work.active) and (is_over or share.resting(now)):
        work.leave()
    for step in made.actions:
        await plan_steps.act(work, step)
    if work.is_stale or not made.actions:
        await work.write()
    if is_over and not share.live and not (made.actions or work.active):
        await work.forget_untold()
    return replace(made, again_at=_first(made.again_at, work.admitted.again_at))


async def _may_be_done(work: ShareWork, made: planner.Plan) -> bool:
    """Whether what begins now may, or what is to begin again once a session has ended for it."""
    if made.begins:
        return await work.may_begin()
    if not any(isinstance(step, planner.Stop) and step.begins_again for step in made.actions):
        return True
    refusal = await work.admitted.refusal(work.buffer, running=False, resting=False)
    return refusal is None and await work.has_stepped_in_vain()


def _waiting(work: ShareWork, share: ShareFacts) -> ShareFacts:
    """A share for which no egress may begin yet: what is recorded of its track goes on as it is."""
    if work.current is not None:
        return replace(share, audio_sid=work.current["audio_sid"], encodings=())
    return replace(share, refusal=Why.TOO_OFTEN)


def _first(*instants: datetime | None) -> datetime | None:
    return min(filter(None, instants), default=None)


async def _begin(ctx: Context, livekit: LiveKit, found: Known, video_sid: str) -> ShareWork | None:
    """What is known of a share, with a buffer that is new if it has none; None: it has no share.

    About the room and the sharer of a new one LiveKit is asked first. Its track may be another one
    of a share that was over: then it has the buffer of that.
    """
    track = next((row for row in found.tracks if row["_id"] == video_sid), None)
    if track is None:
        return None
    buffer = next((row for row in found.buffers if row["video_sid"] == video_sid), None)
    person, is_new = found.people.get(track["participant_sid"]), False
    if buffer is None:
        now = datetime.now(UTC)
        own_id = paths.buffer_id(ctx.instance, track["room_sid"], track["_id"])
        is_known = any(row["_id"] == own_id for row in found.buffers)
        is_recorded = any(row["buffer_id"] == own_id for row in found.sessions)
        if succession.is_over(track, found.tracks, found.people) and (is_known or not is_recorded):
            return None  # its share has gone on in another track, or never began
        room = found.room or await _missed_room(ctx, livekit, track)
        sharer = await livekit.participant(track["room"], track["identity"])
        person = await opt_out.heard(ctx, track, person, sharer, now)
        if person is not None:
            found = replace(found, people={**found.people, person["_id"]: person})
        made = schema.Buffer(
            id=own_id,
            room=track["room"],
            room_sid=track["room_sid"],
            identity=track["identity"],
            participant_sid=track["participant_sid"],
            video_sid=track["_id"],
            community=await belonging.community_of(ctx, found, track, room, person),
            since=track["published_at"] or now,
        )
        await found.look_up(ctx.store, made.community)
        await continuation.note_unlisted(ctx, found, track, sharer)
        buffer = await continuation.taken_up(ctx, found, track, made.community, now)
        if buffer is None and is_known:
            return None  # it was missed for a while, and another screen has its buffer
        is_new = buffer is None
        buffer = buffer or row_of(made)
    active = [row for row in found.sessions if row["buffer_id"] == buffer["_id"]]
    for row in filter(egress_clock.stands_in, active):
        await ctx.queue.ask(errands.LEARN_CLOCK, row["_id"])
    admitted = Admission(ctx, found, track, person)
    return ShareWork(ctx, livekit, found, track, admitted, buffer, active, is_new)


async def _missed_room(ctx: Context, livekit: LiveKit, track: TrackRow) -> RoomRow | None:
    """The row of a room whose room_started was missed: LiveKit is asked, for the community."""
    if (room := await livekit.room(track["room"])) is not None:
        await facts.room_started(ctx.store, room)
    return await ctx.store.rows(schema.Room).find_one({"_id": track["room_sid"]})


def _share_facts(work: ShareWork, now: datetime) -> ShareFacts:
    room, track, buffer = work.known.room, work.track, work.buffer
    settings, last_step = work.ctx.settings, work.known.last_step
    size = track["width"], track["height"]
    encodings = encoding_steps.possible(settings.encoding, settings.encoding_steps, *size)
    others_at, own = last_step and last_step["at"], buffer["told_encoding"]
    live = not succession.is_over(track, work.known.tracks, work.known.people) and (
        room is None or room["finished_at"] is None
    )
    return ShareFacts(
        live=live,
        video_sid=track["_id"],
        published_at=track["published_at"] or buffer["since"],
        audio_sid=_audio_sid(work.known, track, now) if live else None,
        failures=buffer["failures"],
        retry_at=buffer["retry_at"],
        encodings=encodings,
        begins_in=encoding_steps.begins_in(encodings, buffer["step"], others_at, now, own),
        step=buffer["step"],
    )


def _ended_at(work: ShareWork, now: datetime) -> datetime:
    """When a share that is over ended: what told of it late does not lengthen it."""
    room, person = work.known.room, work.admitted.participant
    told = (
        work.track["ended_at"],
        None if person is None else person["left_at"],
        None if room is None else room["finished_at"],
    )
    return max(work.buffer["since"], min([now, *(at for at in told if at is not None)]))


def _audio_sid(found: Known, video: TrackRow, now: datetime) -> str | None:
    videos: list[pairing.Published] = []
    audios: list[pairing.Published] = []
    for track in found.tracks:
        if track["participant_sid"] != video["participant_sid"]:
            continue
        published = pairing.Published(track["_id"], track["published_at"] or now)
        if track["video"]:
            videos.append(published)
        elif not succession.is_over(track, found.tracks, found.people):
            audios.append(published)
    return pairing.audio_of(video["_id"], videos, audios)


def _note_outcome(work: ShareWork, share: ShareFacts, why: Why | None, now: datetime) -> None:
    """Notes in the buffer's row what callers may know: over or not, and why nothing records."""
    buffer, change = work.buffer, Row()
    if why is Why.EGRESS_FAILED and buffer["why"] == Why.NO_WORKER:
        why = Why.NO_WORKER
    detail = work.admitted.detail(buffer, why)
    # What went wrong is told until it records, not only until the next try begins.
    has_failed = buffer["failures"] or buffer["why"] in (Why.NO_WORKER, Why.EGRESS_FAILED)
    is_news = why != buffer["why"] and not (why is Why.STARTING and has_failed)
    if is_news or (why in Why.limits() and detail != buffer["why_detail"]):
        change |= {"why": why, "why_detail": detail}
        if is_news and why is not None and why.refuses:
            metrics.REFUSALS.labels(why).inc()
            if _lines.take(buffer["community"]):
                log.info("share_refused", room=buffer["room"], identity=buffer["identity"], why=why)
    if share.live and buffer["ended_at"] is not None:
        change["ended_at"] = None
    elif not share.live and buffer["ended_at"] is None:
        change |= {"ended_at": _ended_at(work, now), "why": None}
    if change:
        work.set_buffer(change)
