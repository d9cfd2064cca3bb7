"""Shares that ask to be recorded, without an egress."""

from __future__ import annotations

from app.access import community_slots
from app.access.communities import Rules
from app.context import Context
from app.models import BufferRow, ParticipantRow, TrackRow, Why
from app.models.schema import Community
from app.recording import admission, known
from app.recording.admission import Admission
from app.store import KeyTaken, Store
from tests.rows import PartOfRow

VIDEO: PartOfRow = {"encrypted": False}


async def admission_of(
    ctx: Context,
    buffer: BufferRow | PartOfRow,
    track: TrackRow | PartOfRow = VIDEO,
    person: ParticipantRow | PartOfRow | None = None,
) -> Admission:
    """The admission of a share, by what is known now."""
    found = await known.read(ctx.store, buffer["room_sid"], buffer["identity"])
    await found.look_up(ctx.store, buffer["community"])
    return Admission(ctx, found, track, person)


async def begin(
    ctx: Context,
    buffer: BufferRow | PartOfRow,
    track: TrackRow | PartOfRow = VIDEO,
    person: ParticipantRow | PartOfRow | None = None,
) -> Why | None:
    """Asks for a share, and takes its slot if it may begin, as its start does."""
    while True:
        admitted = await admission_of(ctx, buffer, track, person)
        refusal = await admitted.refusal(buffer, running=False, resting=False)
        if refusal is not None:
            return refusal
        try:
            await ctx.store.write(*admitted.taking(buffer))
        except KeyTaken:
            continue
        return None


async def leave(ctx: Context, buffer: BufferRow | PartOfRow) -> None:
    """Gives the slot of a share back, as the end of its recording does."""
    freeing = (await admission_of(ctx, buffer)).freeing(buffer)
    await admission.freed(ctx, buffer, await ctx.store.write(*freeing))


async def free(store: Store, of: Rules, buffer_id: str) -> bool:
    """Gives a slot back. False if there was none."""
    row = await store.rows(Community).find_one({"_id": of.community})
    assert row is not None
    return any(await store.write(*community_slots.freeing(of, row, buffer_id)))
