"""Keeps the facts about who is in which room true although webhooks were lost.

Presence may allow to capture and to see clips. So a lost webhook must not make somebody present for
good. Only the end of a room is final here: a connection that is listed again was never gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from livekit.protocol.models import ParticipantInfo, Room

from app.context import Context
from app.models import schema
from app.recording import connection_bounds, facts
from app.recording.livekit import LiveKit
from app.store import chunks
from app.work import errands, rounds
from app.work.jobs import job, seconds

SETTLE_SECONDS = 5.0
"""A fact younger than this may be newer than the answer it is missing from."""
People = Mapping[str, Sequence[ParticipantInfo]]
"""By room sid; a room that could not be listed is not in it, and nothing is concluded of it."""
_ROOMS_AT_ONCE = 200
GONE_AFTER = 2
"""Surveys in a row without a room after which it is taken for finished."""


@job(errands.ATTEND, timeout=seconds(30))
async def attend(ctx: Context, livekit: LiveKit, room_sid: str) -> None:
    """Compares who is in one room with what LiveKit says, out of a survey's turn.

    Of a room of which nothing is known nothing is to be corrected. Asks for itself again where
    somebody has come too lately to tell. Raises Busy, and Unavailable if LiveKit does not answer.
    """
    async with ctx.queue.alone(errands.ATTEND, room_sid) as alone:
        row = await ctx.store.rows(schema.Room).find_one({"_id": room_sid})
        if row is None or row["finished_at"] is not None:
            return
        now = datetime.now(UTC)
        room = await livekit.room(row["name"])
        people: Sequence[ParticipantInfo] = ()
        if room is None or room.sid != room_sid:
            room = Room(sid=room_sid, name=row["name"])  # another one bears its name
        else:
            people = await livekit.participants(room.name)
        if await note_people(ctx, [room], {room_sid: people}, now):
            alone.again_at = now + seconds(SETTLE_SECONDS)


async def note(ctx: Context, rooms: Sequence[Room], present: People, now: datetime) -> None:
    """Compares the facts with LiveKit's rooms, and the people in each by its sid.

    Nothing is concluded about the people of a room that `present` lacks.
    """
    for some in chunks([room for room in rooms if room.sid in present], _ROOMS_AT_ONCE):
        with rounds.item(rooms=len(some), first=some[0].sid):
            await note_people(ctx, some, present, now)
    await _note_gone_rooms(ctx, [room.sid for room in rooms], now)


async def note_people(ctx: Context, rooms: Sequence[Room], present: People, now: datetime) -> bool:
    """Compares the people of some rooms. Most often this is one read, and no write.

    Returns whether somebody who is not listed has come too lately to be taken for gone.
    """
    participants = ctx.store.rows(schema.Participant)
    listed = {
        person.sid: (room, person)
        for room in rooms
        for person in present[room.sid]
        if not facts.is_recorder(person)
    }
    fields = {"joined_at": 1, "unlisted_at": 1}
    still = {"room_sid": {"$in": [room.sid for room in rooms]}, "left_at": None}
    rows = {row["_id"]: row for row in await participants.find(still, fields).to_list(None)}
    unknown = sorted(listed.keys() - rows.keys())
    if unknown:
        over = set(await participants.distinct("_id", {"_id": {"$in": unknown}}))
        held = await facts.rooms_started(ctx.store, [listed[sid][0] for sid in unknown])
        new = [
            listed[sid]
            for sid in unknown
            if sid not in over and connection_bounds.may_be_new(ctx.store, listed[sid][0].name)
        ]
        await facts.participants_joined(
            ctx.store, [(room, person) for room, person in new if room.sid in held], now
        )
    settled = now - timedelta(seconds=SETTLE_SECONDS)
    gone: list[str] = []
    back: list[str] = []
    is_unsettled = False
    for sid, row in rows.items():
        with rounds.item(participant=sid):
            if sid in listed:
                back += [sid] if row["unlisted_at"] else []
            elif (row["joined_at"] or settled) > settled:
                is_unsettled = True
            elif row["unlisted_at"] is None:
                gone.append(sid)
    for sids, at in ((gone, now), (back, None)):
        if sids:
            await participants.update_many({"_id": {"$in": sids}}, {"$set": {"unlisted_at": at}})
    return is_unsettled


async def _note_gone_rooms(ctx: Context, listed: Sequence[str], now: datetime) -> None:
    """Counts, for each room that is known to live, the surveys that did not list it.

    Most often this is one read, and no write.
    """
    rooms = ctx.store.rows(schema.Room)
    lived = {row["_id"]: row async for row in rooms.find({"finished_at": None}, {"missing": 1})}
    there = set(listed)
    missed, gone, back = list[str](), list[str](), list[str]()
    for sid, row in lived.items():
        with rounds.item(room=sid):
            if sid in there:
                back += [sid] if row["missing"] else []
            else:
                (gone if row["missing"] + 1 >= GONE_AFTER else missed).append(sid)
    end = {"$set": {"finished_at": now}}
    for sids, change in (
        (missed, {"$inc": {"missing": 1}}),
        (gone, {"$inc": {"missing": 1}} | end),
        (back, {"$set": {"missing": 0}}),
    ):
        for some in chunks(sids, _ROOMS_AT_ONCE):
            await rooms.update_many({"_id": {"$in": list(some)}, "finished_at": None}, change)
