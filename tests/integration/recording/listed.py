"""A LiveKit that lists what a test gives it, without a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.recording.livekit import LiveKit

Answer = TypeVar("Answer")


@dataclass
class ListedLiveKit(LiveKit):
    """Rooms with the people in them, and egresses. What is an Exception is raised when asked for.

    `stopped`: the egresses that were asked to stop.
    """

    listed: list[tuple[Room, list[ParticipantInfo] | Exception]] = field(default_factory=list)
    egresses: list[EgressInfo] = field(default_factory=list)
    ended: dict[str, EgressInfo | Exception] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)

    async def close(self) -> None:
        """Nothing is open."""

    async def rooms(self) -> list[Room]:
        return [room for room, _ in self.listed]

    async def participants(self, room: str) -> list[ParticipantInfo]:
        for each, people in self.listed:
            if each.name == room:
                return _given(people)
        return []

    async def active_egresses(self) -> list[EgressInfo]:
        return self.egresses

    async def egress(self, egress_id: str) -> EgressInfo | None:
        found = self.ended.get(egress_id)
        return None if found is None else _given(found)

    async def stop(self, egress_id: str) -> EgressInfo:
        self.stopped.append(egress_id)
        return EgressInfo(egress_id=egress_id)


def _given(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    return answer
