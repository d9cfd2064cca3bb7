"""One egress: its place in the room, its recorder, its EgressInfo, from start to end.

    STARTING ──first picture──> ACTIVE ──source closed, stop, kill──> ENDING ──> COMPLETE
        │                          └──failure──> FAILED   └──limit──> LIMIT_REACHED
        ├──stop──> ABORTED
        └──track not found──> FAILED

`end` may be called from anywhere and any number of times: the first reason wins.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToJson
from livekit import api, rtc
from livekit.protocol import egress as proto

from deploy.standin.faults import Faults
from deploy.standin.media import SAMPLE_RATE, Recorder, Segment
from deploy.standin.output import Output
from deploy.standin.request import Request

log = logging.getLogger("standin.egress")

PIPELINE_SECONDS = 1.3
"""The real pipeline's latency: a segment is complete d + 1.3 s after its last frame, and ACTIVE
comes about that long after the first one."""

STARTING, ACTIVE, ENDING, COMPLETE, FAILED, ABORTED, LIMIT_REACHED = range(7)


@dataclass(frozen=True)
class Reason:
    """Why an egress ends: `details` as the real one words them, its final status, its error."""

    details: str
    status: int = COMPLETE
    error: str = ""
    error_code: int = 0
    keep_files: bool = True
    """False: the handler was killed; what is not yet written is lost, and so are the results."""


STOPPED = Reason("StopEgress API")
SOURCE_CLOSED = Reason("Source closed")
KILLED = Reason("Process killed")
LIMIT = Reason("Session limit reached", LIMIT_REACHED, "Session limit reached", 413)
HANDLER_KILLED = Reason("Failure", FAILED, "signal: killed", 500, keep_files=False)


def failure(error: str, code: int) -> Reason:
    return Reason("Failure", FAILED, error, code)


@dataclass(frozen=True)
class Connection:
    """How egresses join rooms."""

    ws_url: str
    api_key: str
    api_secret: str
    track_timeout_seconds: float


class Egress:
    """One running job.

    :param send: hands one EgressInfo to livekit-server; returns when it is delivered.
    """

    def __init__(
        self,
        egress_id: str,
        room_id: str,
        composite: Any,
        request: Request,
        connection: Connection,
        faults: Callable[[], Faults],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.request = request
        self.info = proto.EgressInfo(
            egress_id=egress_id,
            room_id=room_id,
            room_name=request.room_name,
            source_type=proto.EgressSourceType.EGRESS_SOURCE_TYPE_SDK,
            track_composite=composite,
        )
        layout = request.layout
        results = self.info.segment_results.add(playlist_name=str(layout.playlist))
        if layout.live_playlist is not None:
            results.live_playlist_name = str(layout.live_playlist)
        self._connection = connection
        self._faults = faults
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._room = rtc.Room()
        self._reason: asyncio.Future[Reason] = self._loop.create_future()
        self._first_frame: asyncio.Future[float] = self._loop.create_future()
        self._segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        self._updates: asyncio.Queue[Any] = asyncio.Queue()
        self._live: set[str] = set()
        self._found = asyncio.Event()
        self._readers: set[asyncio.Task[None]] = set()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{egress_id}-"))
        self._recorder = Recorder(
            self._folder,
            request.encoding,
            request.segment_seconds,
            bool(request.audio_track_id),
            self._from_thread(self._set_first_frame),
            self._from_thread(self._segments.put_nowait),
            self._from_thread(self._recorder_ended),
        )
        self._output: Output | None = None
        self._touch(started_at=time.time_ns())

    @property
    def results(self) -> Any:
        return self.info.segment_results[0]

    def end(self, reason: Reason) -> None:
        """Begin to end; `info` shows it at once. Later calls change nothing."""
        if self._reason.done():
            return
        if self.info.status == STARTING and reason.status == COMPLETE:
            error = "Stop called before pipeline could start"
            reason = Reason(reason.details, ABORTED, error, 412)
        self._reason.set_result(reason)
        self.info.details = f"End reason: {reason.details}"
        if reason.status == COMPLETE:
            self.info.status = ENDING
        else:
            self.info.status = reason.status
            self.info.error, self.info.error_code = reason.error, reason.error_code
        self._touch()
        log.info("%s ends: %s %s", self.info.egress_id, reason.details, reason.error)

    async def run(self) -> None:
        """Live the whole life; returns after the last update was delivered."""
        sender = asyncio.create_task(self._send_updates())
        try:
            await self._connect()
            await self._until_active()
            publisher = asyncio.create_task(self._publish())
            reason = await self._reason
            if self.info.status == ENDING:
                self._report()
            await self._close(publisher, reason)
        finally:
            for reader in self._readers:
                reader.cancel()
            await self._room.disconnect()
            shutil.rmtree(self._folder)
        if not self._faults().skip_final_update:
            if self.info.status == ENDING:
                self.info.status = COMPLETE
            self._touch(ended_at=time.time_ns())
            self._report()
        self._updates.put_nowait(None)
        await sender

    async def _send_updates(self) -> None:
        while (info := await self._updates.get()) is not None:
            await self._send(info)

    # The room

    async def _connect(self) -> None:
        grants = api.VideoGrants(
            room_join=True,
            room=self.request.room_name,
            can_subscribe=True,
            can_publish=False,
            can_publish_data=False,
            hidden=True,
            recorder=True,
        )
        token = api.AccessToken(self._connection.api_key, self._connection.api_secret)
        token = token.with_identity(self.info.egress_id).with_kind("egress").with_grants(grants)
        self._room.on("track_published", lambda publication, _: self._subscribe(publication))
        self._room.on("track_subscribed", lambda track, publication, _: self._read(track))
        self._room.on("track_unpublished", lambda publication, _: self._gone({publication.sid}))
        self._room.on("participant_disconnected", self._participant_left)
        self._room.on("reconnected", self._reconnected)
        self._room.on("disconnected", lambda *_: self.end(SOURCE_CLOSED))
        options = rtc.RoomOptions(auto_subscribe=False)
        try:
            await self._room.connect(self._connection.ws_url, token.to_jwt(), options)
        except rtc.ConnectError as error:
            self.end(failure(f"could not join the room: {error}", 500))
            return
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._subscribe(publication)

    def _subscribe(self, publication: Any) -> None:
        if publication.sid in self.request.track_ids:
            publication.set_subscribed(True)

    def _read(self, track: Any) -> None:
        self._live.add(track.sid)
        reads = self._read_video if track.kind == rtc.TrackKind.KIND_VIDEO else self._read_audio
        task = asyncio.create_task(reads(track))
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)
        if self._live.issuperset(self.request.track_ids):
            self._found.set()

    async def _read_video(self, track: Any) -> None:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420)
        async for event in stream:
            if self._recorder.is_alive():
                self._recorder.put_video(time.time(), event.frame)

    async def _read_audio(self, track: Any) -> None:
        stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=2, frame_size_ms=20)
        async for event in stream:
            if self._recorder.is_alive():
                self._recorder.put_audio(time.time(), bytes(event.frame.data))

    def _participant_left(self, participant: Any) -> None:
        self._gone(set(participant.track_publications))

    def _reconnected(self) -> None:
        # After a server's restart the tracks come back with new ids; after a mere gap in the
        # connection they are still there.
        here = {
            sid
            for participant in self._room.remote_participants.values()
            for sid in participant.track_publications
        }
        self._gone(self._live - here)

    def _gone(self, sids: set[str]) -> None:
        # While the connection is being made again, everything seems to be gone.
        if self._room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
            return
        lost = self._live & sids
        self._live -= lost
        if not self._live and lost:
            self.end(SOURCE_CLOSED)
        elif self.request.video_track_id in lost:
            self._recorder.video_is_gone()

    # From the first frame to the last file

    async def _until_active(self) -> None:
        timeout = self._connection.track_timeout_seconds
        if await self._unless_ended(self._found.wait(), timeout) is None:
            missing = next((s for s in self.request.track_ids if s not in self._live), "")
            self.end(failure(f'track "{missing}" not found', 404))
            return
        self._recorder.start()
        first = await self._unless_ended(self._first_frame)
        if first is None or await self._ended_within(PIPELINE_SECONDS):
            return
        self.results.started_at = int(first * 1e9)
        self.info.status = ACTIVE
        self._touch()
        self._output = Output(
            self.request.layout,
            self.request.segment_seconds,
            first + self._faults().clock_bias,
            self._faults,
        )
        self._report()

    async def _unless_ended(self, awaited: Awaitable[Any], seconds: float | None = None) -> Any:
        """The result of `awaited`; None if the end, or so many seconds, come first."""
        task = asyncio.ensure_future(awaited)
        await asyncio.wait({task, self._reason}, timeout=seconds, return_when="FIRST_COMPLETED")
        if task.done():
            return task.result()
        task.cancel()
        return None

    async def _ended_within(self, seconds: float) -> bool:
        await asyncio.wait({self._reason}, timeout=seconds)
        return self._reason.done()

    async def _publish(self) -> None:
        """Publish each segment when the next one is closed, as late as the real one does."""
        held: Segment | None = None
        while (segment := await self._segments.get()) is not None:
            if held is not None:
                due = self.results.started_at / 1e9 + segment.end_seconds + PIPELINE_SECONDS
                await self._ended_within(max(0.0, due - time.time()))
                if not await self._publish_one(held):
                    return
            held = segment
        if held is not None and await self._publish_one(held):
            assert self._output is not None
            await asyncio.to_thread(self._output.write_playlists, True)

    async def _publish_one(self, segment: Segment) -> bool:
        if self._reason.done() and not self._reason.result().keep_files:
            return False
        assert self._output is not None
        try:
            await asyncio.to_thread(self._output.publish, segment)
        except OSError as error:
            self.end(failure(f"Local upload failed: {error.strerror}", 400))
        except ValueError as error:
            self.end(failure(str(error), 500))
        number = len(self._output.lines)
        self.results.segment_count = number
        self.results.size = self._output.size_bytes
        self.results.playlist_location = self.results.playlist_name
        self.results.live_playlist_location = self.results.live_playlist_name
        faults = self._faults()
        if number == faults.die_after_segments:
            os._exit(1)
        if number == faults.fail_after_segments:
            self.end(HANDLER_KILLED)
        if number == faults.limit_after_segments:
            self.end(LIMIT)
        return self.info.status != FAILED

    async def _close(self, publisher: asyncio.Task[None], reason: Reason) -> None:
        if not self._recorder.is_alive():
            self._segments.put_nowait(None)
        elif self._output is None or reason.status == FAILED:
            self._recorder.abandon()
        else:
            self._recorder.finish()
        if self._recorder.is_alive():
            await asyncio.to_thread(self._recorder.join)
        if self._output is None:
            publisher.cancel()
            return
        await publisher
        self.results.ended_at = time.time_ns()
        self.results.duration = self.results.ended_at - self.results.started_at
        if not reason.keep_files:
            del self.info.segment_results[:]
            self.info.ClearField("segments")
        if self.request.manifest:
            text = MessageToJson(self.info)
            await asyncio.to_thread(self._output.write_manifest, self.info.egress_id, text)

    # What the recorder's thread says

    def _from_thread(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda value: self._loop.call_soon_threadsafe(callback, value) and None

    def _set_first_frame(self, capture: float) -> None:
        self._first_frame.set_result(capture)

    def _recorder_ended(self, error: Exception | None) -> None:
        self._segments.put_nowait(None)
        if error is not None:
            log.error("%s: recorder: %r", self.info.egress_id, error)
            self.end(failure(str(error), 500))

    # What livekit-server is told

    def _touch(self, **times: int) -> None:
        """Set the times given, and `updated_at`; copy the results into the old field too."""
        for name, value in times.items():
            setattr(self.info, name, value)
        self.info.updated_at = time.time_ns()
        if self.info.segment_results:
            self.info.segments.CopyFrom(self.results)

    def _report(self) -> None:
        self._touch()
        self._updates.put_nowait(proto.EgressInfo.FromString(self.info.SerializeToString()))
