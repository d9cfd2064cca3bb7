"""The sharer's own will: attribute `replay` = `off` refuses to be buffered.

No webhook tells of attributes. LiveKit is asked before a share is first recorded, and by surveys
while it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livekit.protocol.models import ParticipantInfo, Room

from app.access import audit, generations
from app.access.generations import Endable
from app.buffer import summary
from app.cleaning import erasure
from app.context import Context
from app.models import AuditAction, BufferRow, ParticipantRow, TrackRow, schema
from app.recording import facts
from app.recording.attendance import People
from app.recording.livekit import LiveKit
from app.work import errands, rounds


async def ask(
    ctx: Context, livekit: LiveKit, track: TrackRow, known: ParticipantRow | None, now: datetime
) -> ParticipantRow | None:
    """Notes what the sharer of a new share says now, if that is not known. Raises Unavailable.

    Returns what is known then.
    """
    person = await livekit.participant(track["room"], track["identity"])
    if person is None or person.sid != track["participant_sid"]:
        return known
    room = Room(sid=track["room_sid"], name=track["room"])
    if known is not None and facts.is_known(room, person, known):
        return known
    await facts.participant_joined(ctx.store, room, person, now)
    return await ctx.store.rows(schema.Participant).find_one({"_id": person.sid})


async def note(ctx: Context, rooms: Sequence[Room], present: People, now: datetime) -> None:
    """Notes which sharers refuse now, or no longer do, and has each reconciled at once.

    `present`: the people of the rooms that could be listed, by room sid.
    """
    for room in rooms:
        with rounds.item(room=room.sid):
            await _note_room(ctx, room, present.get(room.sid, ()), now)


async def _note_room(
    ctx: Context, room: Room, people: Sequence[ParticipantInfo], now: datetime
) -> None:
    sharers = [who for who in people if facts.is_sharer(who)]
    if not sharers:
        return
    sids = {"_id": {"$in": [who.sid for who in sharers]}}
    found = ctx.store.rows(schema.Participant).find(sids, {"opted_out": 1})
    refused = {row["_id"]: row.get("opted_out") or False async for row in found}
    for who in sharers:
        with rounds.item(room=room.sid, identity=who.identity):
            if facts.has_opted_out(who) != refused.get(who.sid, False):
                await facts.participant_joined(ctx.store, room, who, now)
                await ctx.queue.ask(errands.RECONCILE, room.sid, who.identity)


async def erase(ctx: Context, buffer: BufferRow, now: datetime) -> BufferRow:
    """Has everything that was recorded of a share deleted whose sharer has opted out.

    Returns the buffer's row as it is then.
    """
    recorded = {"buffer_id": buffer["_id"]}
    if await ctx.store.rows(schema.EgressSession).find_one(recorded, {"_id": 1}) is None:
        return buffer
    if buffer["forget_before"] is None:
        await audit.note(
            ctx.store, buffer["identity"], AuditAction.OPTED_OUT, buffer["_id"], room=buffer["room"]
        )
        await generations.end(
            ctx.store, ctx.settings, ctx.instance, buffer["identity"], [Endable.SHARING]
        )
    until = await summary.recorded_until(ctx.store, buffer["_id"], now)
    await erasure.promise(ctx.store, buffer["_id"], until)
    await ctx.queue.ask(errands.ERASE, buffer["_id"])
    return {**buffer, "forget_before": now}
