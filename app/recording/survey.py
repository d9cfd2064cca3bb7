"""Compares the facts with what LiveKit says is there, so that lost webhooks heal.

It runs at start and every RECONCILE_SECONDS. It only corrects facts and asks for reconciles: the
planner decides what is started or stopped. If LiveKit does not answer, nothing is concluded.

Whatever one room or person has makes it hardly longer for the others: so many of their tracks
count, and what is alike is read and written together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.context import Context
from app.errors import Unavailable
from app.models import Row, SessionRole, TrackRow, schema
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
    reconciling,
    track_bounds,
)
from app.recording.attendance import SETTLE_SECONDS, People
from app.recording.livekit import AnswerTooLong, LiveKit
from app.recording.reconciling import Who
from app.recording.track_bounds import SharedTrack
from app.store import chunks
from app.work import errands, rounds
from app.work.jobs import job, seconds
from app.work.unserved_items import UnservedItems

log = structlog.get_logger()

# A track that so many surveys in a row did not list has ended for good.
FINAL_AFTER = 10
_ROOMS_AT_ONCE = 8
_ROOMS_IN_LIST = 100
"""That are asked for by name: all that they bring is a fifth of what is read of an answer."""
_TRACKS_AT_ONCE = 1000


@job("survey", every=lambda settings: seconds(settings.reconcile_seconds), timeout=seconds(60))
async def survey(ctx: Context, livekit: LiveKit) -> None:
    """Compares all facts with what LiveKit says is there. Opt-outs come first.

    Raises Unavailable, without having concluded anything, if LiveKit fails.
    """
    began = datetime.now(UTC)
    rooms = await _rooms(ctx, livekit)
    live = await ctx.store.rows(schema.Track).find({"live": True}).to_list(None)
    peopled = await _peopled(ctx, rooms, live)
    present = await _people(livekit, await _readable(ctx, peopled))
    tracks = track_bounds.fitting(
        ctx.store, shared(rooms, present), {track["_id"] for track in live}
    )
    asked = await opt_out.note(ctx, tracks, began)
    # After the people: a recorder leaves when its egress ends, and has not become a ghost by that.
    active = await livekit.active_egresses()
    unlisted = {room.sid for room in rooms} - present.keys()
    affected = await note_shares(ctx, tracks, live, began)
    await attendance.note(ctx, rooms, present, began)
    affected |= await miss_tracks(ctx, live, present, unlisted, began)
    affected |= await _check_sessions(ctx, livekit, active, present, unlisted, began)
    await admission.free_leftovers(ctx)
    await reconciling.ask(ctx, affected - asked)
    await _note_unread(ctx, [room.name for room in peopled if room.sid not in present])
    await reaper.stop_strays(ctx, livekit, active)  # last: each may take its time to answer


async def _rooms(ctx: Context, livekit: LiveKit) -> list[Room]:
    """All rooms; where their list is too long to be read, those that are known to live.

    A room brings up to 64 KB of metadata into the list, and many people may make rooms.
    """
    try:
        return await livekit.rooms()
    except AnswerTooLong as error:
        log.warning("rooms_by_name", error=str(error), remedy="see who makes so many rooms")
    names = await ctx.store.rows(schema.Room).distinct("name", {"finished_at": None})
    found: list[Room] = []
    for some in chunks(names, _ROOMS_IN_LIST):
        found += await livekit.rooms(some)
    return found


async def _peopled(ctx: Context, rooms: Sequence[Room], live: Sequence[TrackRow]) -> list[Room]:
    """The rooms that anybody is in, as LiveKit says or we know. Of others nothing is concluded.

    Whoever may make rooms may make any number: to ask for the people of each would take for ever.
    LiveKit's numbers may be some seconds old, and count no recorder.
    """
    here = await ctx.store.rows(schema.Participant).distinct("room_sid", {"left_at": None})
    recorded = {"role": {"$in": list(SessionRole)}}
    busy = await ctx.store.rows(schema.EgressSession).distinct("room_sid", recorded)
    told = [*here, *busy, *(track.get("room_sid") for track in live)]
    known = {sid for sid in told if isinstance(sid, str)}  # a row may have been altered
    return [
        room for room in rooms if room.num_participants or room.num_publishers or room.sid in known
    ]


def unread(ctx: Context) -> UnservedItems:
    """The rooms, by their names, that the last surveys have not read."""
    return ctx.queue.unserved(errands.READ_ROOMS.name)


async def _readable(ctx: Context, rooms: Sequence[Room]) -> list[Room]:
    """The rooms without those that no survey has read since they took too long."""
    left_out = await unread(ctx).rounds()
    return [room for room in rooms if room.name not in left_out]


async def _note_unread(ctx: Context, names: Sequence[str]) -> None:
    """Has rooms whose people were not read read with more patience, and tells of them."""
    await unread(ctx).note(names)
    if names:
        await ctx.queue.ask(errands.READ_ROOMS)


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


def shared(rooms: Sequence[Room], present: People) -> list[SharedTrack]:
    """All tracks of shares that are listed."""
    return [
        (room, person, track)
        for room in rooms
        for person in present.get(room.sid, ())
        if not facts.is_recorder(person)
        for track in person.tracks
        if facts.is_share(track)
    ]


async def note_shares(
    ctx: Context, shared: Sequence[SharedTrack], live: Sequence[TrackRow], now: datetime
) -> set[Who]:
    """Notes shares of which no webhook has told. Returns whose they are; most often nobody's."""
    known = {track["_id"] for track in live if track.get("missing") == 0}
    unknown = [each for each in shared if each[2].sid not in known]
    held = await facts.rooms_started(ctx.store, [room for room, _, _ in unknown])
    new = [each for each in unknown if each[0].sid in held]
    people = {person.sid: (room, person) for room, person, _ in new}
    await facts.participants_joined(ctx.store, list(people.values()), now)
    await facts.tracks_published(ctx.store, new, now)
    return {(room.sid, person.identity) for room, person, _ in new}


async def miss_tracks(
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
    missed: list[str] = []
    over: list[str] = []
    for track in live:
        with rounds.item(track=track["_id"]):
            affected.add((track["room_sid"], track["identity"]))
            if track["_id"] in listed or track["room_sid"] in unlisted:
                continue
            if (track["published_at"] or settled) <= settled:
                is_final = track["missing"] + 1 >= FINAL_AFTER
                (over if is_final else missed).append(track["_id"])
    await _change(ctx, missed, {"$inc": {"missing": 1}})
    end = {"live": False, "ended_at": began}
    await _change(ctx, over, {"$inc": {"missing": 1}, "$set": end})
    return affected


async def _change(ctx: Context, track_sids: Sequence[str], change: Row) -> None:
    tracks = ctx.store.rows(schema.Track)

    async def changed(sids: Sequence[str]) -> int:
        return (await tracks.update_many({"_id": {"$in": list(sids)}}, change)).matched_count

    for chunk in chunks(track_sids, _TRACKS_AT_ONCE):
        await rounds.together_or_alone("track", {sid: [sid] for sid in chunk}, changed)


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
                if row["room_sid"] not in unlisted and ghosts.is_ghost(row, own, recorders, began):
                    await ghosts.declare(ctx, row)
            elif row["egress_id"] is not None and row["ended_at"] is None:
                ended = await livekit.egress(row["egress_id"])
                await egress_start.note_end(ctx, row, ended, began)
    return affected
