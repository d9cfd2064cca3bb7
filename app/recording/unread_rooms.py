"""Rooms whose people a survey could not read in its time: read with more patience, beside it.

A survey leaves those out until they were read here, so that they take none of the others' time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime

from livekit.protocol.models import ParticipantInfo, Room

from app.context import Context
from app.models import schema
from app.recording import attendance, opt_out, reconciling, survey, track_bounds
from app.recording.livekit import LiveKit
from app.work import errands, rounds
from app.work.jobs import Busy, job, seconds

PATIENCE_SECONDS = 60.0
"""For the people of one room: what takes longer is not read."""
ROUNDS = 3
"""Surveys in a row without a room, after which it is told that its people can't be read."""
_ROOMS_AT_ONCE = 4
_TURNS_SECONDS = 60.0
"""The last room has its turn by then; the rest has another one."""


async def unread_for_long(ctx: Context) -> int:
    """How many rooms no survey has read in ROUNDS of them in a row, nor `read_rooms` since."""
    return sum(count >= ROUNDS for count in (await survey.unread(ctx).rounds()).values())


@job(errands.READ_ROOMS, timeout=seconds(_TURNS_SECONDS + PATIENCE_SECONDS + 30))
async def read_rooms(ctx: Context, livekit: LiveKit) -> None:
    """Does for each room that was not read what a survey does, but for its sessions.

    While another worker does it there is nothing to do.
    """
    try:
        async with ctx.queue.alone(errands.READ_ROOMS):
            names = list(await survey.unread(ctx).rounds())
            random.shuffle(names)  # none is always the last
            turns = rounds.within(names, _TURNS_SECONDS)

            async def read(name: str) -> None:
                with rounds.item(room=name):
                    await _read(ctx, livekit, name)

            await rounds.side_by_side(turns, read, _ROOMS_AT_ONCE)
    except Busy:
        return


async def _read(ctx: Context, livekit: LiveKit, name: str) -> None:
    began = datetime.now(UTC)
    found = await livekit.rooms([name])
    for room in found:
        people = await livekit.participants(room.name, PATIENCE_SECONDS)
        await _conclude(ctx, room, people, began)
    await survey.unread(ctx).served(name)


async def _conclude(
    ctx: Context, room: Room, people: Sequence[ParticipantInfo], began: datetime
) -> None:
    live = (
        await ctx.store.rows(schema.Track).find({"live": True, "room_sid": room.sid}).to_list(None)
    )
    present = {room.sid: people}
    known = {track["_id"] for track in live}
    shared = track_bounds.fitting(ctx.store, survey.shared([room], present), known)
    asked = await opt_out.note(ctx, shared, began)
    affected = await survey.note_shares(ctx, shared, live, began)
    await attendance.note_people(ctx, [room], present, began)
    affected |= await survey.miss_tracks(ctx, live, present, (), began)
    await reconciling.ask(ctx, affected - asked)
