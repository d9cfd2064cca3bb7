"""Compares the facts with what LiveKit says is there, so that lost webhooks heal.

It runs at start and every RECONCILE_SECONDS. It only corrects facts and asks for reconciles: the
planner decides what is started or stopped. If LiveKit does not answer, nothing is concluded.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.context import Context
from app.models import SessionRole, SessionRow, TrackRow, schema
from app.recording import admission, attendance, egress_start, facts, reaper
from app.recording.livekit import LiveKit, session_of
from app.work import errands
from app.work.jobs import job, seconds

log = structlog.get_logger()

# A fact younger than this may be newer than the answer it is missing from.
SETTLE_SECONDS = 5.0
# A track that so many surveys in a row did not list has ended for good.
FINAL_AFTER = 10
# A recorder is in the room within seconds of its start, and the last update comes within seconds
# of its leaving; listed active for so long without either: a ghost.
GHOST_SECONDS = 40.0
_ROOMS_AT_ONCE = 8

Who = tuple[str, str]


@job("survey", every=lambda settings: seconds(settings.reconcile_seconds), timeout=seconds(60))
async def survey(ctx: Context, livekit: LiveKit) -> None:
    """Compares all facts with what LiveKit says is there.

    Raises Unavailable, without having concluded anything, if LiveKit fails.
    """
    began = datetime.now(UTC)
    rooms = await livekit.rooms()
    gate = asyncio.Semaphore(_ROOMS_AT_ONCE)

    async def people(room: Room) -> list[ParticipantInfo]:
        async with gate:
            return await livekit.participants(room.name)

    present = dict(
        zip((r.sid for r in rooms), await asyncio.gather(*map(people, rooms)), strict=True)
    )
    # After the people: a recorder leaves when its egress ends, and has not become a ghost by that.
    active = await livekit.active_egresses()
    live = await ctx.store.rows(schema.Track).find({"live": True}).to_list(None)
    affected = {(track["room_sid"], track["identity"]) for track in live}
    for room in rooms:
        affected |= await _note_room(ctx, room, present[room.sid], live, began)
    await attendance.note(ctx, rooms, present, began)
    await _miss_tracks(ctx, live, present, began)
    affected |= await _check_sessions(ctx, livekit, active, present, began)
    await reaper.stop_strays(ctx, livekit, active)
    await admission.free_leftovers(ctx)
    for room_sid, identity in affected:
        await ctx.queue.ask(errands.RECONCILE, room_sid, identity)


async def _note_room(
    ctx: Context, room: Room, people: list[ParticipantInfo], live: list[TrackRow], now: datetime
) -> set[Who]:
    """Notes new shares, and who has opted out or in. Most often nothing is written."""
    known = {track["_id"] for track in live if track["missing"] == 0}
    affected = set()
    for person in people:
        shares = [track for track in person.tracks if facts.is_share(track)]
        if not shares or facts.is_recorder(person):
            continue
        row = await ctx.store.rows(schema.Participant).find_one({"_id": person.sid})
        new = [track for track in shares if track.sid not in known]
        if new or row is None or row["opted_out"] != facts.has_opted_out(person):
            await facts.room_started(ctx.store, room)
            await facts.participant_joined(ctx.store, room, person, now)
            for track in new:
                await facts.track_published(ctx.store, room, person, track, now)
            affected.add((room.sid, person.identity))
    return affected


async def _miss_tracks(
    ctx: Context, live: list[TrackRow], present: dict[str, list[ParticipantInfo]], began: datetime
) -> None:
    """Counts, for each live track, the surveys that did not list it.

    The second one ends what is recorded of it. A track that is listed again is back, until its end
    is final.
    """
    listed = {track.sid for people in present.values() for who in people for track in who.tracks}
    settled = began - timedelta(seconds=SETTLE_SECONDS)
    for track in live:
        final = track["missing"] + 1 >= FINAL_AFTER
        if track["_id"] not in listed and (track["published_at"] or settled) <= settled:
            await ctx.store.rows(schema.Track).update_one(
                {"_id": track["_id"]},
                {"$inc": {"missing": 1}}
                | ({"$set": {"live": False, "ended_at": began}} if final else {}),
            )


async def _check_sessions(
    ctx: Context,
    livekit: LiveKit,
    active: list[EgressInfo],
    present: dict[str, list[ParticipantInfo]],
    began: datetime,
) -> set[Who]:
    """Brings every session that is not over up to date with its egress."""
    by_session = {session_of(info): info for info in active}
    recorders = {who.identity for people in present.values() for who in people}
    sessions = ctx.store.rows(schema.EgressSession)
    rows = await sessions.find({"role": {"$in": list(SessionRole)}}).to_list(None)
    for row in rows:
        info = by_session.get(row["_id"])
        if info is not None:
            await facts.egress(ctx.store, info, began)
            if _is_ghost(info, recorders, began):
                await _mark_ghost(ctx, row)
        elif row["egress_id"] is not None and row["ended_at"] is None:
            ended = await livekit.egress(row["egress_id"])
            await egress_start.note_end(ctx, row, ended, began)
    return {(row["room_sid"], row["identity"]) for row in rows}


def _is_ghost(info: EgressInfo, recorders: set[str], now: datetime) -> bool:
    silent_seconds = now.timestamp() - max(info.started_at, info.updated_at) / 1e9
    return info.egress_id not in recorders and silent_seconds > GHOST_SECONDS


async def _mark_ghost(ctx: Context, row: SessionRow) -> None:
    now = datetime.now(UTC)
    marked = await ctx.store.rows(schema.EgressSession).update_one(
        {"_id": row["_id"], "ghost_at": None}, {"$set": {"ghost_at": now, "ended_at": now}}
    )
    if marked.modified_count:
        log.warning("egress_is_a_ghost", session=row["_id"], egress=row["egress_id"])
