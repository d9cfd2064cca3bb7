"""Shares that are not over: of a participant, or of everybody in a room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.context import Context
from app.models import BufferRow, RoomRow, Row, SessionRow, TrackRow
from app.models.schema import Buffer, EgressSession, Room, Track
from app.store import Store
from app.work import errands, rounds
from app.work.jobs import job, seconds

_FIELDS = {"identity": 1, "video_sid": 1}


@dataclass(frozen=True)
class ParticipantFacts:
    """What is known of one participant in a room: their tracks, buffers, and all sessions."""

    room: RoomRow | None
    tracks: Sequence[TrackRow]
    sessions: Sequence[SessionRow]
    buffers: Sequence[BufferRow]

    @property
    def shares(self) -> set[str]:
        """The video tracks of the shares that are not over."""
        return {video_sid for _, video_sid in _open(self.tracks, self.sessions, self.buffers)}


async def of_participant(store: Store, room_sid: str, identity: str) -> ParticipantFacts:
    """What is known of one participant in a room, in one read of each collection."""
    whose: Row = {"room_sid": room_sid, "identity": identity}
    return ParticipantFacts(
        *await asyncio.gather(
            store.rows(Room).find_one({"_id": room_sid}),
            store.rows(Track).find(whose).to_list(None),
            store.rows(EgressSession).find(whose).to_list(None),
            store.rows(Buffer).find(whose).to_list(None),
        )
    )


async def shares(store: Store, room_sid: str) -> set[tuple[str, str]]:
    """(identity, video track) of each share of a room that is not over."""
    whose: Row = {"room_sid": room_sid}
    return _open(
        *await asyncio.gather(
            store.rows(Track).find(whose, {"identity": 1, "video": 1, "live": 1}).to_list(None),
            store.rows(EgressSession).find(whose, _FIELDS | {"role": 1}).to_list(None),
            store.rows(Buffer).find(whose, _FIELDS | {"ended_at": 1}).to_list(None),
        )
    )


def _open(
    tracks: Sequence[TrackRow], sessions: Sequence[SessionRow], buffers: Sequence[BufferRow]
) -> set[tuple[str, str]]:
    """(identity, video track) of shares with a live track, a session in a role or an open buffer.

    Chosen here, not by `distinct`: see app.store.
    """
    found: set[tuple[str, str]] = set()
    for track in tracks:
        with rounds.item(track=track["_id"]):
            if track["video"] and track["live"]:
                found.add((track["identity"], track["_id"]))
    for session in sessions:
        with rounds.item(session=session["_id"]):
            if session["role"] is not None:
                found.add((session["identity"], session["video_sid"]))
    for buffer in buffers:
        with rounds.item(buffer=buffer["_id"]):
            if buffer["ended_at"] is None:
                found.add((buffer["identity"], buffer["video_sid"]))
    return found


@job(errands.RECONCILE_ROOM, timeout=seconds(30))
async def reconcile_room(ctx: Context, room_sid: str) -> None:
    """Asks for a reconcile of everybody who shares, or is recorded, in a room."""
    await ctx.queue.begin(errands.RECONCILE_ROOM, room_sid)
    for identity in {who for who, _ in await shares(ctx.store, room_sid)}:
        with rounds.item(room=room_sid, identity=identity):
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity)
