"""What LiveKit has: who shares, and which egress records whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from livekit import api
from livekit.protocol.models import ParticipantInfo, TrackSource

from deploy.local.stack import LiveKitStack


@dataclass
class Live:
    """`shares`: identity by video track. `egresses`: those that record, by the track they record.

    One that LiveKit lists, but that is not in its room, died without a word; it does not record.
    """

    shares: dict[str, str] = field(default_factory=dict)
    egresses: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sharers(self) -> set[str]:
        return set(self.shares.values())

    def faults(self, wanted: Collection[str]) -> list[str]:
        """What is not one egress for each share, and one share for each of `wanted`."""
        found = [f"{identity} does not share" for identity in sorted(set(wanted) - self.sharers)]
        found += [
            f"the share {sid} of {identity} has {len(running)} egresses: {running}"
            for sid, identity in self.shares.items()
            if len(running := self.egresses.get(sid, [])) != 1
        ]
        found += [
            f"the egresses {running} record {sid}, which nobody shares"
            for sid, running in self.egresses.items()
            if sid not in self.shares
        ]
        return found


async def live(stack: LiveKitStack) -> Live:
    """What LiveKit says now, asked directly. Raises httpx-like errors of its client."""
    found = Live()
    client = api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret)
    try:
        recorders: set[str] = set()
        for room in (await client.room.list_rooms(api.ListRoomsRequest())).rooms:
            asked = api.ListParticipantsRequest(room=room.name)
            for who in (await client.room.list_participants(asked)).participants:
                if who.kind == ParticipantInfo.Kind.EGRESS:
                    recorders.add(who.identity)
                else:
                    found.shares |= _shared(who)
        listed = await client.egress.list_egress(api.ListEgressRequest(active=True))
        for egress in listed.items:
            if egress.egress_id in recorders:
                sid = egress.track_composite.video_track_id
                found.egresses.setdefault(sid, []).append(egress.egress_id)
    finally:
        await client.aclose()
    return found


def _shared(who: ParticipantInfo) -> dict[str, str]:
    return {
        track.sid: who.identity
        for track in who.tracks
        if track.source == TrackSource.SCREEN_SHARE and not track.muted
    }
