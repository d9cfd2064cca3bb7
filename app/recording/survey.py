"""Compares the facts with what LiveKit says is there, so that lost webhooks heal.

It runs at start and every RECONCILE_SECONDS. It only corrects facts and asks for reconciles: the
planner decides what is started or stopped. If LiveKit does not answer, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.context import Context
from app.errors import Unavailable
from app.models import SessionRole, TrackRow, schema
from app.recording import (
    admission,
    asked_egress,
    attendance,
    egress_clock,
    egress_facts,
    egress_start,
    facts,
    ghosts,
    opt_out,
    reaper,
)
from app.recording.attendance import SETTLE_SECONDS, People
from app.recording.livekit import LiveKit
from app.work import errands, rounds
from app.work.jobs import job, seconds

log = structlog.get_logger()

# A track that so many surveys in a row did not list has ended for good.
FINAL_AFTER = 10
_ROOMS_AT_ONCE = 8

Who = tuple[str, str]


@job("survey", every=lambda settings: seconds(settings.reconcile_seconds), timeout=seconds(60))
async def survey(ctx: Context, livekit: LiveKit) -> None:
    """Compares all facts with what LiveKit says is there. Opt-outs come first.

    Raises Unavailable, without having concluded anything, if LiveKit fails.
    """
    began = datetime.now(UTC)
    rooms = await livekit.rooms()
    present = await _people(livekit, rooms)
    await opt_out.note(ctx, rooms, present, began)
    # After the people: a recorder leaves when its egress ends, and has not become a ghost by that.
    active = await livekit.active_egresses()
    unlisted = {room.sid for room in rooms} - present.keys()
    live = await ctx.store.rows(schema.Track).find({"live": True}).to_list(None)
    affected = await _note_shares(ctx, rooms, present, live, began)
    await attendance.note(ctx, rooms, present, began)
    affected |= await _miss_tracks(ctx, live, present, unlisted, began)
    affected |= await _check_sessions(ctx, livekit, active, present, unlisted, began)
    await admission.free_leftovers(ctx)
    for room_sid, identity in affected:
        with rounds.item(room=room_sid, identity=identity):
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity)
    await reaper.stop_strays(ctx, livekit, active)  # last: each may take its time to answer


async def _people(livekit: LiveKit, rooms: Sequence[Room]) -> People:
    """Everybody in the rooms that can be listed. Raises Unavailable if there is none of these."""
    present: dict[str, list[ParticipantInfo]] = {}

    async def ask(room: Room) -> None:
        with rounds.item(room=room.sid):
            present[room.sid] = await livekit.participants(room.name)

    await rounds.side_by_side(rooms, ask, _ROOMS_AT_ONCE)
    if rooms and not present:
        raise Unavailable(f"LiveKit lists the people of none of its {len(rooms)} rooms")
    return present


async def _note_shares(
    ctx: Context, rooms: Sequence[Room], present: People, live: Sequence[TrackRow], now: datetime
) -> set[Who]:
    """Notes shares of which no webhook has told. Most often nothing is written."""
    known = {track["_id"] for track in live if track.get("missing") == 0}
    affected: set[Who] = set()
    for room in rooms:
        for person in filter(facts.is_sharer, present.get(room.sid, ())):
            with rounds.item(room=room.sid, identity=person.identity):
                shares = [track for track in person.tracks if facts.is_share(track)]
                new = [track for track in shares if track.sid not in known]
                if new:
                    await facts.room_started(ctx.store, room)
                    await facts.participant_joined(ctx.store, room, person, now)
                for track in new:
                    await facts.track_published(ctx.store, room, person, track, now)
                    affected.add((room.sid, person.identity))
    return affected


async def _miss_tracks(
    ctx: Context,
    live: Sequence[TrackRow],
    present: People,
    unlisted: Collection[str],
    began: datetime,
) -> set[Who]:
    """Counts, for each live track, the surveys that did not list it. Returns whose tracks live.

    The second one ends what is recorded of it. A track that is listed again is back, until its end
    is final.
    """
    listed = {track.sid for people in present.values() for who in people for track in who.tracks}
    settled = began - timedelta(seconds=SETTLE_SECONDS)
    affected: set[Who] = set()
    for track in live:
        with rounds.item(track=track["_id"]):
            affected.add((track["room_sid"], track["identity"]))
            if track["_id"] in listed or track["room_sid"] in unlisted:
                continue
            final = track["missing"] + 1 >= FINAL_AFTER
            if (track["published_at"] or settled) <= settled:
                await ctx.store.rows(schema.Track).update_one(
                    {"_id": track["_id"]},
                    {"$inc": {"missing": 1}}
                    | ({"$set": {"live": False, "ended_at": began}} if final else {}),
                )
    return affected


async def _check_sessions(
    ctx: Context,
    livekit: LiveKit,
    active: Sequence[EgressInfo],
    present: People,
    unlisted: Collection[str],
    began: datetime,
) -> set[Who]:
    """Brings every session that is not over up to date with its egress. Returns whose they are."""
    by_session = asked_egress.by_session(active)
    recorders = {who.identity for people in present.values() for who in people}
    sessions = ctx.store.rows(schema.EgressSession)
    affected: set[Who] = set()
    for row in await sessions.find({"role": {"$in": list(SessionRole)}}).to_list(None):
        with rounds.item(session=row["_id"]):
            affected.add((row["room_sid"], row["identity"]))
            named = by_session.get(row["_id"], ())
            own = next((each for each in named if asked_egress.may_serve(each, row)), None)
            if own is not None:
                if not egress_facts.is_known(own, row):
                    await egress_facts.note(ctx.store, own, began, session_id=row["_id"])
                    await egress_clock.settle(ctx.store, row, own)
                if row["room_sid"] not in unlisted and ghosts.is_ghost(own, recorders, began):
                    await ghosts.declare(ctx, row)
            elif row["egress_id"] is not None and row["ended_at"] is None:
                ended = await livekit.egress(row["egress_id"])
                await egress_start.note_end(ctx, row, ended, began)
    return affected
