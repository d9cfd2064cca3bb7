"""The wanted tracks of one room: joins as a hidden recorder, feeds what it hears and sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from livekit import api, rtc

from deploy.local.standin.recorder import Recorder
from deploy.local.standin.request import Request
from deploy.local.standin.segmenter import SAMPLE_RATE


@dataclass(frozen=True)
class Connection:
    """How egresses join rooms."""

    ws_url: str
    api_key: str
    api_secret: str
    track_timeout_seconds: float


class Source:
    """One egress's place in its room.

    `found` is set when all wanted tracks are subscribed. `on_closed` is called when the last of
    them is unpublished, its participant has left, or the room is lost.
    """

    def __init__(
        self, identity: str, request: Request, recorder: Recorder, on_closed: Callable[[], None]
    ) -> None:
        self.found = asyncio.Event()
        self._identity = identity
        self._request = request
        self._recorder = recorder
        self._on_closed = on_closed
        self._room = rtc.Room()
        self._live: set[str] = set()
        self._readers: set[asyncio.Task[None]] = set()

    @property
    def missing(self) -> str:
        """The first wanted track id that is not subscribed; empty if all are."""
        return next((sid for sid in self._request.track_ids if sid not in self._live), "")

    async def join(self, connection: Connection) -> None:
        """Join and subscribe to what is there; the rest follows when it is published.

        :raises rtc.ConnectError: the server refused, or can't be reached.
        """
        grants = api.VideoGrants(
            room_join=True,
            room=self._request.room_name,
            can_subscribe=True,
            can_publish=False,
            can_publish_data=False,
            hidden=True,
            recorder=True,
        )
        token = api.AccessToken(connection.api_key, connection.api_secret)
        token = token.with_identity(self._identity).with_kind("egress").with_grants(grants)
        self._room.on("track_published", lambda publication, _: self._subscribe(publication))
        self._room.on("track_subscribed", lambda track, _, __: self._read(track))
        self._room.on("track_unpublished", lambda publication, _: self._gone({publication.sid}))
        self._room.on("participant_disconnected", lambda who: self._gone({*who.track_publications}))
        self._room.on("reconnected", lambda: self._gone(self._live - self._published()))
        self._room.on("disconnected", lambda *_: self._on_closed())
        # connect() is never cancelled: that can leave a joined participant behind.
        options = rtc.RoomOptions(auto_subscribe=False)
        await self._room.connect(connection.ws_url, token.to_jwt(), options)
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._subscribe(publication)

    async def leave(self) -> None:
        """Leave the room, and free what its streams hold."""
        readers = list(self._readers)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await self._room.disconnect()

    def _published(self) -> set[str]:
        return {
            sid
            for participant in self._room.remote_participants.values()
            for sid in participant.track_publications
        }

    def _subscribe(self, publication: Any) -> None:
        if publication.sid in self._request.track_ids:
            publication.set_subscribed(True)

    def _read(self, track: Any) -> None:
        self._live.add(track.sid)
        read = self._read_video if track.kind == rtc.TrackKind.KIND_VIDEO else self._read_audio
        task = asyncio.create_task(read(track))
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)
        if not self.missing:
            self.found.set()

    async def _read_video(self, track: Any) -> None:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420)
        async with aclosing(stream):
            async for event in stream:
                if self._recorder.is_alive():
                    self._recorder.put_video(time.time(), event.frame)

    async def _read_audio(self, track: Any) -> None:
        # Few and long pieces: each costs a turn of the event loop. On a machine that is too slow
        # the oldest are lost, rather than that all of them come later and later.
        stream = rtc.AudioStream(
            track, capacity=5, sample_rate=SAMPLE_RATE, num_channels=2, frame_size_ms=100
        )
        async with aclosing(stream):
            async for event in stream:
                if self._recorder.is_alive():
                    self._recorder.put_audio(time.time(), bytes(event.frame.data))

    def _gone(self, sids: set[str]) -> None:
        # While the connection is being made again everything seems to be gone; "reconnected"
        # decides: after a server's restart the tracks have new ids, after a mere gap the old ones.
        if self._room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
            return
        lost = self._live & sids
        self._live -= lost
        if lost and not self._live:
            self._on_closed()
        elif self._request.video_track_id in lost:
            self._recorder.video_is_gone()
