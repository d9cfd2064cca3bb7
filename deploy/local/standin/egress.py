"""One egress, from its start to its last update.

    STARTING ──first picture──> ACTIVE ──source closed, stop, kill──> ENDING ──> COMPLETE
        │                          ├──failure──> FAILED
        ├──source closed, stop,    └──limit──> LIMIT_REACHED
        │  kill──> ABORTED
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
from livekit import rtc
from livekit.protocol import egress as proto

from deploy.local.standin.faults import Faults
from deploy.local.standin.output import Output
from deploy.local.standin.recorder import Recorder
from deploy.local.standin.request import Request
from deploy.local.standin.segmenter import Segment
from deploy.local.standin.source import Connection, Source

log = logging.getLogger("standin.egress")

PIPELINE_SECONDS = 1.3
"""The real pipeline's latency: a segment is complete d + 1.3 s after its last frame, and ACTIVE
comes about that long after the first one."""

STARTING = proto.EgressStatus.EGRESS_STARTING
ACTIVE = proto.EgressStatus.EGRESS_ACTIVE
ENDING = proto.EgressStatus.EGRESS_ENDING
COMPLETE = proto.EgressStatus.EGRESS_COMPLETE
FAILED = proto.EgressStatus.EGRESS_FAILED
ABORTED = proto.EgressStatus.EGRESS_ABORTED
LIMIT_REACHED = proto.EgressStatus.EGRESS_LIMIT_REACHED


@dataclass(frozen=True)
class Reason:
    """Why an egress ends: `details` as the real one words them, its final status, its error."""

    details: str
    status: proto.EgressStatus = COMPLETE
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


class Egress:
    """One running job; `info` is its state at any time.

    :param send: hands one EgressInfo to livekit-server; returns when it is delivered.
    :param late_seconds: media that is so late is left out.
    """

    def __init__(
        self,
        egress_id: str,
        room_id: str,
        composite: Any,
        request: Request,
        faults: Callable[[], Faults],
        send: Callable[[Any], Awaitable[None]],
        late_seconds: float,
    ) -> None:
        self.request = request
        self.info = proto.EgressInfo(
            egress_id=egress_id,
            room_id=room_id,
            room_name=request.room_name,
            source_type=proto.EgressSourceType.EGRESS_SOURCE_TYPE_SDK,
            track_composite=composite,
        )
        results = self.info.segment_results.add(playlist_name=str(request.layout.playlist))
        if request.layout.live_playlist is not None:
            results.live_playlist_name = str(request.layout.live_playlist)
        self._faults = faults
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._reason: asyncio.Future[Reason] = self._loop.create_future()
        self._first_frame: asyncio.Future[float] = self._loop.create_future()
        self._segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        self._updates: asyncio.Queue[Any] = asyncio.Queue()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{egress_id}-"))
        self._recorder = Recorder(
            self._folder,
            request.encoding,
            request.segment_seconds,
            bool(request.audio_track_id),
            late_seconds,
            self._from_thread(self._first_frame.set_result),
            self._from_thread(self._segments.put_nowait),
            self._from_thread(self._recorder_ended),
        )
        self._source = Source(
            egress_id, request, self._recorder, on_closed=lambda: self.end(SOURCE_CLOSED)
        )
        self._output: Output | None = None
        self._touch(started_at=time.time_ns())

    def end(self, reason: Reason) -> None:
        """Begin to end; `info` shows it at once. Later calls change nothing."""
        if self._reason.done():
            return
        if self.info.status == STARTING and reason.status == COMPLETE:
            error = "Stop called before pipeline could start"
            reason = Reason(reason.details, ABORTED, error, 412)
        self._reason.set_result(reason)
        self.info.status = ENDING if reason.status == COMPLETE else reason.status
        self.info.error, self.info.error_code = reason.error, reason.error_code
        self.info.details = f"End reason: {reason.details}"
        self._touch()
        log.info("%s ends: %s %s", self.info.egress_id, reason.details, reason.error)

    async def run(self, connection: Connection) -> None:
        """Live the whole life; returns after the last update was delivered."""
        self._touch(started_at=time.time_ns())
        sender = asyncio.create_task(self._send_updates())
        publisher = asyncio.create_task(self._publish())
        try:
            await self._until_active(connection)
            reason = await self._reason
            if self.info.status == ENDING:
                self._report()
            await self._finish(publisher, reason)
        finally:
            publisher.cancel()
            await self._source.leave()
            shutil.rmtree(self._folder)
        if not self._faults().skip_final_update:
            if self.info.status == ENDING:
                self.info.status = COMPLETE
            self._touch(ended_at=time.time_ns())
            self._report()
        self._updates.put_nowait(None)
        await sender

    # From the first frame to the last file

    async def _until_active(self, connection: Connection) -> None:
        try:
            await self._source.join(connection)
        except rtc.ConnectError as error:
            self.end(failure(f"could not join the room: {error}", 500))
            return
        await self._unless_ended(self._source.found.wait(), connection.track_timeout_seconds)
        if self._source.missing:
            self.end(failure(f'track "{self._source.missing}" not found', 404))
        if self._reason.done():
            return
        self._recorder.start()
        first = await self._unless_ended(self._first_frame)
        if first is None or await self._ended_within(PIPELINE_SECONDS):
            return
        layout, seconds = self.request.layout, self.request.segment_seconds
        bias = self._faults().clock_bias
        storage = self.request.storage
        self._output = Output(layout, storage, seconds, first + bias, self._faults)
        self.info.segment_results[0].started_at = int(first * 1e9)
        self.info.status = ACTIVE
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
        late = 0.0
        while (segment := await self._segments.get()) is not None:
            if held is not None:
                late += self._faults().lateness(self.request.encoding, held.duration_seconds)
                due = self._first_frame.result() + segment.end_seconds + PIPELINE_SECONDS + late
                await self._ended_within(max(0.0, due - time.time()))
                if not await self._publish_one(held):
                    return
            held = segment
        if held is not None and await self._publish_one(held) and self._output is not None:
            try:
                await asyncio.to_thread(self._output.write_playlists, True)
            except OSError as error:
                self._upload_failed(self._output, error)

    def _upload_failed(self, output: Output, error: OSError) -> None:
        self.end(failure(f"{output.place.kind} upload failed: {error.strerror}", 400))

    async def _publish_one(self, segment: Segment) -> bool:
        """Write one segment; False if nothing may follow it."""
        lost = self._reason.done() and not self._reason.result().keep_files
        if self._output is None or lost:
            return False
        try:
            await asyncio.to_thread(self._output.publish, segment)
        except OSError as error:
            self._upload_failed(self._output, error)
        number = len(self._output.lines)
        results = self.info.segment_results[0]
        results.segment_count, results.size = number, self._output.size_bytes
        at = self._output.place.location
        results.playlist_location = at(self.request.layout.playlist.name)
        if (live := self.request.layout.live_playlist) is not None:
            results.live_playlist_location = at(live.name)
        faults = self._faults()
        if number == faults.die_after_segments:
            os._exit(1)
        if number == faults.fail_after_segments:
            self.end(HANDLER_KILLED)
        if number == faults.limit_after_segments:
            self.end(LIMIT)
        return self.info.status != FAILED

    async def _finish(self, publisher: asyncio.Task[None], reason: Reason) -> None:
        if self._recorder.is_alive():
            if self._output is None or reason.status == FAILED:
                self._recorder.abandon()
            else:
                self._recorder.finish()
            await asyncio.to_thread(self._recorder.join)
        if self._output is None:
            return
        await publisher
        if reason.keep_files:
            results = self.info.segment_results[0]
            results.ended_at = time.time_ns()
            results.duration = results.ended_at - results.started_at
        else:
            del self.info.segment_results[:]
            self.info.ClearField("segments")
        if self.request.manifest:
            text = MessageToJson(self.info)
            await asyncio.to_thread(self._output.write_manifest, self.info.egress_id, text)

    # What the recorder's thread says

    def _from_thread(self, callback: Callable[[Any], object]) -> Callable[[Any], None]:
        def call(value: Any) -> None:
            self._loop.call_soon_threadsafe(callback, value)

        return call

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
            self.info.segments.CopyFrom(self.info.segment_results[0])

    def _report(self) -> None:
        self._touch()
        self._updates.put_nowait(proto.EgressInfo.FromString(self.info.SerializeToString()))

    async def _send_updates(self) -> None:
        """Send one update after the other, so that they arrive in this order."""
        while (info := await self._updates.get()) is not None:
            await self._send(info)
