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
from app.models import AuditAction, BufferRow, ParticipantRow, TrackRow, Why, schema
from app.recording import facts, reconciling
from app.recording.reconciling import Who
from app.recording.track_bounds import SharedTrack
from app.store import chunks
from app.work import errands

_AT_ONCE = 500
"""Sharers in one command."""


async def heard(
    ctx: Context,
    track: TrackRow,
    known: ParticipantRow | None,
    person: ParticipantInfo | None,
    now: datetime,
) -> ParticipantRow | None:
    """Notes what the sharer of a new share says now, if that is not known.

    `person`: whoever bears their name in the room, as LiveKit says. Returns what is known then.
    """
    if person is None or person.sid != track["participant_sid"]:
        return known
    room = Room(sid=track["room_sid"], name=track["room"])
    if known is not None and facts.is_known(room, person, known):
        return known
    await facts.participant_joined(ctx.store, room, person, now)
    return await ctx.store.rows(schema.Participant).find_one({"_id": person.sid})


async def note(ctx: Context, shared: Sequence[SharedTrack], now: datetime) -> set[Who]:
    """Notes who of the sharers refuses now, or no longer does, and has these reconciled at once.

    Returns who they are.
    """
    sharers = list({who.sid: (room, who) for room, who, _ in shared}.values())
    affected: set[Who] = set()
    for some in chunks(sharers, _AT_ONCE):
        sids = {"_id": {"$in": [who.sid for _, who in some]}}
        found = ctx.store.rows(schema.Participant).find(sids, {"opted_out": 1})
        refused = {row["_id"]: row.get("opted_out") or False async for row in found}
        changed = [
            (room, who)
            for room, who in some
            if facts.has_opted_out(who) != refused.get(who.sid, False)
        ]
        await facts.participants_joined(ctx.store, changed, now)
        affected |= {(room.sid, who.identity) for room, who in changed}
    await reconciling.ask(ctx, affected)
    return affected


async def erase(ctx: Context, buffer: BufferRow, was: Why | None, now: datetime) -> BufferRow:
    """Has everything that was recorded of a share deleted whose sharer has opted out.

    `was`: why nothing was recorded before that was heard. An opt-out ends URLs and stands in the
    audit, whatever else is being erased. Returns the buffer's row as it is then.
    """
    recorded = {"buffer_id": buffer["_id"]}
    if await ctx.store.rows(schema.EgressSession).find_one(recorded, {"_id": 1}) is None:
        return buffer
    if was != Why.OPTED_OUT or buffer["forget_before"] is None:
        await audit.note(
            ctx.store,
            buffer["identity"],
            AuditAction.OPTED_OUT,
            buffer["_id"],
            room=buffer["room"],
            # Until it is told that it was heard it is the same, also for who goes on after a kill.
            entry_id=f"{AuditAction.OPTED_OUT}:{buffer['_id']}:{buffer['told_count']}",
        )
        await generations.end(
            ctx.store, ctx.settings, ctx.instance, buffer["identity"], [Endable.SHARING]
        )
    until = await summary.recorded_until(ctx.store, buffer["_id"], now)
    await erasure.promise(ctx.store, buffer["_id"], until)
    await ctx.queue.ask(errands.ERASE, buffer["_id"])
    return {**buffer, "forget_before": now}
