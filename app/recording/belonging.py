"""Which community a share belongs to: decided once, when it begins.

An admin's assignment of the room's name goes before all else. Otherwise COMMUNITY_CLAIMS says whose
word counts, and that is a claim to one of the communities that admins have made.
"""

from __future__ import annotations

from app.access import assigned_rooms, communities
from app.context import Context
from app.models import CommunityClaims, RoomRow, TrackRow, schema


async def community_of(ctx: Context, track: TrackRow, room: RoomRow | None) -> str:
    """The community of a share. `track`: its video, `room`: what is known of the room it is in."""
    assigned = await assigned_rooms.community_of(ctx.store, track["room"])
    if assigned is not None:
        return assigned
    if ctx.settings.community_claims == CommunityClaims.ROOM:
        return room["community"] if room else communities.DEFAULT
    return await _of_token(ctx, track)


async def _of_token(ctx: Context, track: TrackRow) -> str:
    """The community that the sharer's token names; `default` if it names none that is there."""
    sharer = {"_id": track["participant_sid"]}
    person = await ctx.store.rows(schema.Participant).find_one(sharer, {"community": 1})
    claimed = (person and person["community"]) or communities.DEFAULT
    return await communities.made(ctx.store, claimed, identity=track["identity"])
