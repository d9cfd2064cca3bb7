"""A LiveKit that lists what a test gives it, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.recording.bounded_answer import ANSWER_BYTES
from app.recording.livekit import AnswerTooLong, LiveKit, StartRequest

Answer = TypeVar("Answer")


@dataclass
class ListedLiveKit(LiveKit):
    """Rooms with the people in them, and egresses. What is an Exception is raised when asked for.

    `started`: what was asked for; `start_fails`: what is raised instead. `stopped`: the egresses
    that were asked to stop. `signs`: how an egress answers when it is asked for a sign of life, or
    to stop. `looked_into`: the rooms whose people were asked for.
    """

    listed: list[tuple[Room, list[ParticipantInfo] | Exception]] = field(default_factory=list)
    egresses: list[EgressInfo] = field(default_factory=list)
    ended: dict[str, EgressInfo | Exception] = field(default_factory=dict)
    started: list[StartRequest] = field(default_factory=list)
    start_fails: Exception | None = None
    stopped: list[str] = field(default_factory=list)
    signs: dict[str, Exception] = field(default_factory=dict)
    looked_into: list[str] = field(default_factory=list)

    async def close(self) -> None:
        """Nothing is open."""

    async def rooms(self, names: Sequence[str] = ()) -> list[Room]:
        for room, people in self.listed:
            room.num_participants = 1 if isinstance(people, Exception) else len(people)
        found = [room for room, _ in self.listed if not names or room.name in names]
        if sum(room.ByteSize() for room in found) > ANSWER_BYTES:
            raise AnswerTooLong("the answer has more than is read")
        return found

    async def participants(self, room: str, seconds: float = 10.0) -> list[ParticipantInfo]:
        self.looked_into.append(room)
        for each, people in self.listed:
            if each.name == room:
                return _given(people)
        return []

    async def active_egresses(self) -> list[EgressInfo]:
        return self.egresses

    async def egress(self, egress_id: str) -> EgressInfo | None:
        found = self.ended.get(egress_id)
        return None if found is None else _given(found)

    async def participant(self, room: str, identity: str) -> ParticipantInfo | None:
        people = await self.participants(room)
        return next((each for each in people if each.identity == identity), None)

    async def room(self, name: str) -> Room | None:
        return next((room for room, _ in self.listed if room.name == name), None)

    async def show_buffered(self, room: str, identity: str, buffered: bool) -> None:
        """Nobody looks."""

    async def room_egresses(self, room: str) -> list[EgressInfo]:
        return [each for each in self.egresses if each.room_name == room]

    async def start(self, request: StartRequest) -> EgressInfo:
        if self.start_fails is not None:
            raise self.start_fails
        self.started.append(request)
        info = EgressInfo(egress_id=f"EG_{len(self.started)}", room_name=request.room)
        info.track_composite.segment_outputs.add(filename_prefix=request.prefix)
        return info

    async def stop(self, egress_id: str) -> EgressInfo:
        self.stopped.append(egress_id)
        return _given(self.signs.get(egress_id, EgressInfo(egress_id=egress_id)))

    async def probe(self, egress_id: str) -> None:
        _given(self.signs.get(egress_id, EgressInfo()))


def _given(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    return answer
