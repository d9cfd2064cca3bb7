"""The sharer's own will: attribute `replay` = `off` refuses to be buffered.

No webhook tells of attributes. LiveKit is asked before a share is first recorded, and by surveys
while it lasts.
"""

from __future__ import annotations

from datetime import datetime

from livekit.protocol.models import Room

from app.access import audit
from app.cleaning import erasure
from app.context import Context
from app.models import BufferRow, TrackRow, schema
from app.recording import facts
from app.recording.livekit import LiveKit
from app.work import errands


async def ask(ctx: Context, livekit: LiveKit, track: TrackRow, now: datetime) -> None:
    """Notes what the sharer of a new share says now. Raises Unavailable."""
    person = await livekit.participant(track["room"], track["identity"])
    if person is not None and person.sid == track["participant_sid"]:
        room = Room(sid=track["room_sid"], name=track["room"])
        await facts.participant_joined(ctx.store, room, person, now)


async def forget(ctx: Context, buffer: BufferRow, now: datetime) -> None:
    """Has everything that was recorded of a share deleted whose sharer has opted out."""
    recorded = {"buffer_id": buffer["_id"]}
    if await ctx.store.rows(schema.EgressSession).find_one(recorded, {"_id": 1}) is None:
        return
    if buffer["forget_before"] is None:
        await audit.note(
            ctx.store, buffer["identity"], "opted_out", buffer["_id"], room=buffer["room"]
        )
    await erasure.promise(ctx.store, buffer["_id"], now)
    await ctx.queue.ask(errands.FORGET, buffer["_id"])
