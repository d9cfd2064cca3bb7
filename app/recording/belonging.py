"""Which community a share belongs to: decided once, when it begins.

An admin's assignment of the room's name goes before all else. Otherwise COMMUNITY_CLAIMS says whose
word counts, and that is a claim to one of the communities that admins have made.
"""

from __future__ import annotations

from app.access import communities
from app.context import Context
from app.models import CommunityClaims, ParticipantRow, RoomRow, TrackRow
from app.recording.known import Known


async def community_of(
    ctx: Context,
    known: Known,
    track: TrackRow,
    room: RoomRow | None,
    person: ParticipantRow | None,
) -> str:
    """The community of a share. `track`: its video; of its room and its sharer, what is known."""
    if known.assigned is not None:
        return known.assigned
    if ctx.settings.community_claims == CommunityClaims.ROOM:
        return room["community"] if room else communities.DEFAULT
    claimed = (person and person["community"]) or communities.DEFAULT
    if known.communities.get(claimed) is not None:
        return claimed
    return await communities.made(ctx.store, claimed, identity=track["identity"])
