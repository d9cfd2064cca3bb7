"""Somebody who shares screens in a room, as webhooks tell it to a worker, without LiveKit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from app.buffer import paths
from app.context import Context
from app.models import BufferRow, SessionRow
from app.models.schema import Buffer, EgressSession, Participant
from app.recording import recorder
from tests import webhooks
from tests.integration.recording.listed import ListedLiveKit

ROOM = webhooks.room()
ROOM_SID = "RM_1"


@dataclass
class Sharer:
    """Somebody whose connections and tracks come and go, as webhooks tell it to a worker."""

    ctx: Context
    send: Callable[..., Awaitable[httpx.Response]]
    identity: str = "alice"
    livekit: ListedLiveKit = field(init=False)

    def __post_init__(self) -> None:
        self.livekit = ListedLiveKit()

    async def tell(self, name: str, connection: str, track: str | None = None) -> None:
        joined = str(1_700_000_000_000 + int(connection) * 60_000)
        sid = f"PA_{self.identity}_{connection}"
        person = webhooks.participant(self.identity, sid, joinedAtMs=joined)
        more: dict[str, Any] = {} if track is None else {"track": webhooks.video(self.sid(track))}
        event = webhooks.event(name, room=ROOM, participant=person, **more)
        assert (await self.send(event)).status_code == 200

    def sid(self, track: str) -> str:
        return f"TR_{self.identity}_{track}"

    async def reconciled(self) -> None:
        """A worker has looked; egresses record once they were started, and end once stopped."""
        for _ in range(2):
            await recorder.reconcile(self.ctx, self.livekit, ROOM_SID, self.identity)
            rows, now = self.ctx.store.rows(EgressSession), datetime.now(UTC)
            active = {"active_at": now, "status": "EGRESS_ACTIVE"}
            await rows.update_many({"active_at": None, "ended_at": None}, {"$set": active})
            over = {"ended_at": now, "status": "EGRESS_COMPLETE"}
            stopped = {"stop_sent_at": {"$ne": None}, "ended_at": None}
            await rows.update_many(stopped, {"$set": over})

    async def publish(self, track: str, connection: str = "1") -> None:
        await self.tell("track_published", connection, track)
        await self.reconciled()

    async def opt_out(self, connection: str) -> None:
        """A connection of theirs has the attribute `replay` = `off`."""
        await self.tell("participant_joined", connection)
        opted_out, sid = {"$set": {"opted_out": True}}, f"PA_{self.identity}_{connection}"
        await self.ctx.store.rows(Participant).update_one({"_id": sid}, opted_out)

    async def unpublish(self, track: str, connection: str = "1") -> None:
        await self.tell("track_unpublished", connection, track)
        await self.reconciled()

    async def buffers(self) -> list[BufferRow]:
        found = self.ctx.store.rows(Buffer).find({"identity": self.identity})
        return await found.sort("since", 1).to_list(None)

    async def sessions(self, **which: Any) -> list[SessionRow]:
        found = self.ctx.store.rows(EgressSession).find({"identity": self.identity, **which})
        return await found.sort("created_at", 1).to_list(None)

    def own_id(self, track: str) -> str:
        """The id of the buffer of a share that began with this track."""
        return paths.buffer_id(self.ctx.instance, ROOM_SID, self.sid(track))

    async def check_one(self, *tracks: str) -> BufferRow:
        """One buffer has recorded these tracks, each once, and records the last one now."""
        (only,) = await self.buffers()
        sessions = await self.sessions()
        assert [row["video_sid"] for row in sessions] == [self.sid(each) for each in tracks]
        assert {row["buffer_id"] for row in sessions} == {only["_id"]} == {self.own_id(tracks[0])}
        assert [row["role"] for row in sessions] == [*[None] * (len(tracks) - 1), "current"]
        assert (only["video_sid"], only["ended_at"]) == (self.sid(tracks[-1]), None)
        return only
